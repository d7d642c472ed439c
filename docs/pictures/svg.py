"""What the pictures are made of: a few shapes, one look in light and dark."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

__all__ = ["box", "line", "path", "picture", "text"]

# Okabe and Ito's colours, as in reports. A picture scales with the page: on a narrow one its text
# is drawn larger.
STYLE = """
text{font:14px system-ui,sans-serif;fill:#24292f} .small{font-size:12px} .muted{fill:#5c6670}
.middle{text-anchor:middle} .end{text-anchor:end} .strong{font-weight:600}
.frame{fill:none;stroke:#8b949e} .thin{stroke:#c9ced4;stroke-width:1}
.flow{stroke:#5c6670;fill:none}
.signal{fill:none;stroke:#0072b2;stroke-width:2} .blue{fill:#0072b2} .orange{fill:#e69f00}
.green{fill:#009e73} .gone{fill:#d3d7dc} .gone-frame{fill:none;stroke:#8b949e;stroke-dasharray:4 3}
.on{fill:#fff} text.blue{fill:#0072b2} text.green{fill:#007a59} text.orange{fill:#8f6200}
@media (prefers-color-scheme:dark){text{fill:#e3e6ea} .muted{fill:#9aa4af} .frame{stroke:#6b7580}
.thin{stroke:#3d454e} .flow{stroke:#9aa4af} .signal{stroke:#58a9e8} .blue{fill:#2f7fc0}
.orange{fill:#efb02e} .green{fill:#1c8f6c} .gone{fill:#454d57} .gone-frame{stroke:#6b7580}
.on{fill:#fff} text.blue{fill:#58a9e8} text.green{fill:#2bb98d} text.orange{fill:#efb02e}}
@media (max-width:560px){text{font-size:18px} .small{font-size:17px}}
""".strip()


def number(value: float) -> str:
    """A coordinate, rounded so that every machine draws the same file."""
    return f"{round(value, 1):g}"


def text(x: float, y: float, words: str, look: str = "") -> str:
    """Words that begin, or are centred or end with `look`, at x on the base line y."""
    return f'<text x="{number(x)}" y="{number(y)}" class="{look}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, look: str, opacity: float = 1.0) -> str:
    """A rectangle."""
    shade = "" if opacity == 1.0 else f' opacity="{round(opacity, 2):g}"'
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {place} rx="2" class="{look}"{shade}/>'


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    """A straight line."""
    ends = f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
    return f'<line {ends} class="{look}"/>'


def path(points: Iterable[tuple[float, float]], look: str) -> str:
    """A line through points."""
    places = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return f'<polyline points="{places}" class="{look}"/>'


def picture(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """The file."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">'
    )
    body = "\n".join(parts)
    return f"{head}\n<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>\n{body}\n</svg>\n"
