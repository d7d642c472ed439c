"""Your own data: a folder or zip of sensor files that a ``schema.yaml`` explains."""

from maestro_ts.signals.folder.layout import Layout, parse_layout
from maestro_ts.signals.folder.reader import FolderReading, is_folder, read_folder

__all__ = ["FolderReading", "Layout", "is_folder", "parse_layout", "read_folder"]
