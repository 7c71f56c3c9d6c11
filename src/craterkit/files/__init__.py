"""Databases as files: what GIS software reads, with all that makes the database again."""
