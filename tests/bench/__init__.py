"""Measurements of retrieval and speed, each against a baseline of the same run: `make bench`."""
