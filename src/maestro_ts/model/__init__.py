"""MAESTRO: `maestro` is the whole network, top to bottom; the other files are its parts."""
