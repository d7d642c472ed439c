"""What a page is made of: sections of figures, facts and tables. Looks are the template's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

__all__ = ["Block", "Section", "Table", "block", "section"]


@dataclass(frozen=True)
class Block:
    """A figure with the words around it.

    Attributes
    ----------
    key : str
        Unique on the page.
    caption : str
        How to read it.
    alt : str
        What it shows, for those who cannot see it.
    min_width : int
        Pixels below which the figure scrolls inside its own box.
    """

    key: str
    figure: go.Figure
    caption: str
    alt: str
    min_width: int = 0

    @property
    def choices(self) -> list[str]:
        """Sets of traces of which the reader sees one at a time."""
        named = [(trace.meta or {}).get("choice") for trace in self.figure.data]
        return list(dict.fromkeys(str(c) for c in named if c is not None))

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.figure.layout.height)


@dataclass(frozen=True)
class Table:
    """Numbers in rows; columns from `numeric` on are aligned right."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: int = 1
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """One heading of the page."""

    key: str
    title: str
    blocks: Sequence[Block] = ()
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()


def block(
    key: str, figure: go.Figure | None, caption: str, alt: str, min_width: int = 0
) -> list[Block]:
    """The block in a list, or nothing where the figure has no data."""
    return [] if figure is None else [Block(key, figure, caption, alt, min_width)]


def section(
    key: str,
    title: str,
    blocks: Sequence[Block],
    facts: Sequence[tuple[str, str]] = (),
    tables: Sequence[Table] = (),
) -> list[Section]:
    """The section in a list, or nothing where it would be an empty heading."""
    if not (blocks or facts or tables):
        return []
    return [Section(key, title, blocks, facts, tables)]
