"""Statistics: which there are, and how they are computed for many ROIs at once."""
