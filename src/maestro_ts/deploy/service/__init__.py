"""A run behind HTTP: predictions for programs, and a page for people. Extra ``serve``."""
