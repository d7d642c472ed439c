"""What sensors recorded, and how it is cut, split and hidden. Never imports torch."""
