"""Rival models: what MAESTRO is measured against, on the same windows, masks and selection."""
