"""Explanations of a score: attribution maps over the real photo, each with evidence for or against it."""
