"""A file that is only partly there: ``FILE.partial``, and of which version it is a part."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Partial"]

RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@dataclass
class Partial:
    """What is there of a file.

    Attributes
    ----------
    final : Path
        Where the whole file will lie; ``FINAL.partial`` holds its beginning, and
        ``FINAL.partial.json`` the length and the tag (or date) that its server gave.
    """

    final: Path

    @property
    def path(self) -> Path:
        """The beginning of the file."""
        return self.final.with_name(self.final.name + ".partial")

    @property
    def about(self) -> Path:
        """What its server said of the whole."""
        return self.final.with_name(self.final.name + ".partial.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def complete(self) -> bool:
        """Whether as many bytes are there as the server announced."""
        return self.path.exists() and self._known()[0] == self.size

    def headers(self) -> dict[str, str]:
        """Ask for the rest; for everything if nothing says to which version this part belongs."""
        total, version = self._known()
        if not self.size or (total is None and not version):
            return {}
        asked = {"Range": f"bytes={self.size}-"}
        return asked | ({"If-Range": version} if version else {})

    def begin(self, total: int | None, headers: Mapping[str, str]) -> None:
        """Forget what was there and note what the server says of the whole file."""
        self.path.write_bytes(b"")
        tag = headers.get("ETag", "")
        strong = tag if not tag.startswith("W/") else ""
        version = strong or headers.get("Last-Modified", "")
        self.about.write_text(json.dumps({"bytes": total, "version": version}))

    def accept(self, stated: str) -> int | None:
        """Length of the whole file; None if a `Content-Range` is not the rest of this part."""
        found = RANGE.fullmatch(stated)
        known = self._known()[0]
        if found is None or int(found[1]) != self.size or known not in (None, int(found[2])):
            return None
        return int(found[2])

    def finished(self) -> Path:
        """The complete file, which still has to be checked."""
        self.about.unlink(missing_ok=True)
        return self.path

    def discard(self) -> None:
        """Leave nothing."""
        self.path.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)

    def _known(self) -> tuple[int | None, str]:
        try:
            said = json.loads(self.about.read_text())
            total, version = said["bytes"], said["version"]
        except (OSError, ValueError, KeyError, TypeError):
            return None, ""
        return (total if isinstance(total, int) else None), str(version)
