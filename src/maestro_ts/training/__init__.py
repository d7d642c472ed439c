"""How a network learns: loop, curriculum, checkpoint, run folder."""
