"""Numbers → ordered symbols, with s₀ for every kind of absence. Pure numpy."""
