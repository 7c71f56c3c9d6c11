"""Pictures of databases: maps, sheets of ROIs, histograms."""
