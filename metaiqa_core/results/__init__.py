"""Benchmark results: published tables and own runs as one record type, their arithmetic, and their export."""
