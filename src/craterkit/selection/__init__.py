"""Sets of pixels of one raster's grid: chosen by a mask, by points or by regions, and combined."""
