"""Sorting many photos: stacks of similar ones, what to keep and what to reject, and files that carry it elsewhere."""
