"""Code blocks of the documentation."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+?) -->\n\s*?)?"
    r"^(?P<indent> *)```(?P<language>[a-z]+)\n(?P<code>.*?)^(?P=indent)```$",
    flags=re.M | re.S,
)


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    code: str
    reason: str | None
    """Why it is not run; None: it is."""

    @property
    def commands(self) -> list[list[str]]:
        """Words of every line that is not a comment, of a block in `sh`."""
        lines = [shlex.split(line, comments=True) for line in self.code.splitlines()]
        return [words for words in lines if words]


def blocks_of(page: Path) -> list[Block]:
    """Blocks with a language, in their order."""
    text = page.read_text("utf-8")
    found = []
    for match in FENCE.finditer(text):
        code = re.sub(f"^{match['indent']}", "", match["code"], flags=re.M)
        line = text.count("\n", 0, match.start("language")) + 1
        found.append(Block(page, line, match["language"], code, match["reason"]))
    return found
