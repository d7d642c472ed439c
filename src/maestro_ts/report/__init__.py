"""One self-contained page, one file per figure."""
