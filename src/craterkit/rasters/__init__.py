"""Rasters: whatever a user gives, opened, described and read block by block."""
