"""One file per command; parses, calls, prints. Imports nothing heavy at module level."""
