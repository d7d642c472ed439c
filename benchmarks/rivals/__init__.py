"""Rival classifiers: what the library is measured against, on the same windows and masks."""
