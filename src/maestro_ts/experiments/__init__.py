"""One file per table, figure or job: data in, results out."""
