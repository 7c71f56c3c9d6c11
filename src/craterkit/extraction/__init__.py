"""Extraction: pixels of regions of interest, and what is made of them."""
