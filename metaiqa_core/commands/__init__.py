"""Thin commands: read arguments, call the core once, write the answer."""
