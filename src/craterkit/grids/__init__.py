"""Grids: where the pixels of a raster lie on the body."""
