"""Footprints: the pixels of a grid that belong to regions of interest."""
