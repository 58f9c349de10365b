"""Checkpoints of other people: pickles, state dicts and safetensors, read as data and never executed."""
