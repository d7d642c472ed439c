"""A trained model outside of this package: as a file that another runtime executes."""
