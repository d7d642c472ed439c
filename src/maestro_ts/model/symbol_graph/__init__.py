"""Samples on a regular grid → symbols, as tensor operations: `network` puts them before a graph."""
