"""How good a model is, under every kind of absence."""
