"""MAESTRO as one static graph of tensor operations: `network` is the whole, top to bottom."""
