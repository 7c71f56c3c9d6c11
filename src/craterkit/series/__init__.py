"""Rasters through time: stacks of rasters, and the times of their layers."""
