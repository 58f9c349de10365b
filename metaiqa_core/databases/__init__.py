"""Databases of photos that people rated."""
