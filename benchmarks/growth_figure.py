"""Draw ``docs/growth.svg`` from ``docs/results/growth.json`` (no arguments)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from growth import OUT, SIDES, SWEEPS, Points, points_of
from maestro_ts.atomic import write_text

FIGURE = OUT.parents[1] / "growth.svg"
NAMES = {"ours": "ours", "dense": "dense attention", "published": "published formulation"}
COLUMNS = {  # title, what stays as it is, marks of the axis
    "tokens": ("tokens", "batch 8", {32: "32", 128: "128", 1024: "1024"}),
    "modalities": ("modalities", "batch 16", {1: "1", 5: "5", 20: "20"}),
    "batch": ("batch", "", {1: "1", 8: "8", 64: "64"}),
    "present": ("present", "batch 64", {0.1: "10%", 0.3: "30%", 1.0: "100%"}),
}
SECONDS = {0.01: "10 ms", 0.1: "100 ms", 1.0: "1 s", 10.0: "10 s"}
ROWS = {
    "train_s": ("training step", SECONDS),
    "infer_s": ("inference pass", SECONDS),
    "memory_mb": ("memory of training", {10.0: "10 MB", 100.0: "100 MB", 1000.0: "1 GB"}),
}
WIDTH, LEFT, TOP, PANEL, GAP, ROW = 760, 90, 122, 150, 16, 184
WIDTHS = {"tokens": 190, "modalities": 138, "batch": 138, "present": 138}
PADDING, ROOM_FOR_SLOPES, SLOPE_HEIGHT = 14, 46, 20
HEIGHT = TOP + len(ROWS) * ROW + 26
# The picture scales with the page: on a narrow one its text is drawn larger.
STYLE = """
text{font:14px system-ui,sans-serif;fill:#222} .title{font-weight:600}
.grid{stroke:#ccc;stroke-width:1} .card{fill:#fff} .line{fill:none;stroke-width:2.5}
.ours{stroke:#0072b2} .dense{stroke:#007a59;stroke-dasharray:6 4} .published{stroke:#d55e00}
.dot{stroke-dasharray:none} .dot.ours{fill:#0072b2} .dot.dense{fill:#007a59}
.dot.published{fill:#d55e00} text.ours,text.dense,text.published{stroke:none}
text.ours{fill:#0072b2} text.dense{fill:#007a59} text.published{fill:#b84f00}
@media (max-width:560px){text{font-size:20px}}
@media (prefers-color-scheme:dark){text{fill:#ddd} .grid{stroke:#444} .card{fill:#111}
.ours{stroke:#56b4e9} .dense{stroke:#2fc79b} .published{stroke:#f08a4b}
.dot.ours,text.ours{fill:#56b4e9} .dot.dense,text.dense{fill:#2fc79b}
.dot.published,text.published{fill:#f08a4b}}
"""


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from the values `low` … `high` to the places `start` … `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Place of a value."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class Line:
    """One side along one sweep, as far as it was measured: lower quartile, median, upper."""

    side: str
    x: list[float]
    values: list[list[float]]

    def slope(self) -> float:
        """Power of x with which the median grows over the last three points."""
        middle = [v[1] for v in self.values[-3:]]
        return float(np.polyfit(np.log(self.x[-3:]), np.log(middle), 1)[0])


def lines(points: Points, column: str, row: str) -> list[Line]:
    """What one panel shows."""
    sweep, found = SWEEPS[column], []
    for side in SIDES:
        there = {
            sweep.x(s): points[s, side][row]
            for s in sweep.sizes
            if row in points.get((s, side), {})
        }
        values = [v if isinstance(v, list) else [v] * 3 for v in there.values()]
        found.append(Line(side, list(there), values))
    return found


def x_axis(column: str, left: float) -> Axis:
    """Of a column whose panels begin at `left`."""
    sweep = SWEEPS[column]
    room = ROOM_FOR_SLOPES if column == "tokens" else PADDING
    ends = sweep.x(sweep.sizes[0]), sweep.x(sweep.sizes[-1])
    return Axis(*ends, left + PADDING, left + WIDTHS[column] - room)


def panel(column: str, shown: list[Line], left: float, y: Axis, marks: list[float]) -> str:
    """Grid, lines with their quartiles, and in the column of tokens their slopes."""
    x, right = x_axis(column, left), left + WIDTHS[column]
    parts = [
        f'<line class="grid" x1="{left}" x2="{right}" y1="{y(m):.1f}" y2="{y(m):.1f}"/>'
        for m in marks
    ]
    parts += [
        f'<line class="grid" x1="{x(m):.1f}" x2="{x(m):.1f}" y1="{y.start}" y2="{y.end}"/>'
        for m in COLUMNS[column][2]
    ]
    for line in shown:
        places = [(x(at), *map(y, values)) for at, values in zip(line.x, line.values, strict=True)]
        path = " ".join(f"{at:.1f},{middle:.1f}" for at, _, middle, _ in places)
        parts.append(f'<polyline class="line {line.side}" points="{path}"/>')
        for at, low, middle, high in places:
            parts.append(
                f'<path class="line dot {line.side}" d="M{at:.1f} {low:.1f}V{high:.1f}"/>'
                f'<circle class="dot {line.side}" cx="{at:.1f}" cy="{middle:.1f}" r="2.5"/>'
            )
    if column == "tokens":
        parts += slopes([n for n in shown if len(n.x) >= 3], x, y)
    return "\n".join(parts)


def slopes(shown: list[Line], x: Axis, y: Axis) -> list[str]:
    """The numbers beside the ends of lines, none over another."""
    parts, free = [], y.end
    for line in sorted(shown, key=lambda n: -n.values[-1][1]):
        place = max(y(line.values[-1][1]) + 5, free)
        free = place + SLOPE_HEIGHT
        parts.append(
            f'<text class="{line.side}" x="{x(line.x[-1]) + 6:.1f}" y="{place:.1f}">'
            f"{line.slope():.1f}</text>"
        )
    return parts


def head(threads: str) -> list[str]:
    """Title and legend."""
    parts = [
        f'<text class="title" x="{LEFT}" y="26">Around 10 modalities of 128 tokens, '
        f"{threads}</text>"
    ]
    for side, left in zip(NAMES, (LEFT, LEFT + 120, LEFT + 346), strict=True):
        parts.append(
            f'<path class="line {side}" d="M{left} 50h32"/>'
            f'<text x="{left + 40}" y="56">{NAMES[side]}</text>'
        )
    return parts


def column_heads(lefts: dict[str, float]) -> list[str]:
    """What varies, what stays, and the numbers below."""
    parts = []
    for column, (title, fixed, marks) in COLUMNS.items():
        left = lefts[column]
        parts.append(f'<text class="title" x="{left}" y="92">{title}</text>')
        parts.append(f'<text x="{left}" y="114">{fixed}</text>')
        x = x_axis(column, left)
        if column == "tokens":
            right = left + WIDTHS[column]
            parts.append(f'<text x="{right}" y="114" text-anchor="end">slope</text>')
        parts += [
            f'<text x="{x(m):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{text}</text>'
            for m, text in marks.items()
        ]
    return parts


def y_axis(shown: list[Line], place: int) -> Axis:
    """Of a row: the same for all its panels, so that they can be compared."""
    values = [v for line in shown for quartiles in line.values for v in quartiles]
    bottom = TOP + (place + 1) * ROW
    return Axis(min(values) / 1.3, max(values) * 1.3, bottom, bottom - PANEL)


def draw(told: dict[str, Any]) -> str:
    """The whole picture."""
    points = points_of(told)
    starts = np.cumsum([LEFT, *(width + GAP for width in WIDTHS.values())]).tolist()
    lefts = dict(zip(WIDTHS, starts, strict=False))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Time and memory of training and inference against tokens, modalities, '
        'batch and the share of modalities present">',
        f"<style>{STYLE}</style>",
        f'<rect class="card" width="{WIDTH}" height="{HEIGHT}"/>',
        *head(told["machine"].split(", ")[1]),
        *column_heads(lefts),
    ]
    for place, (row, (title, marks)) in enumerate(ROWS.items()):
        shown = {column: lines(points, column, row) for column in COLUMNS}
        y = y_axis([line for panels in shown.values() for line in panels], place)
        within = {m: text for m, text in marks.items() if y.low <= m <= y.high}
        parts.append(f'<text class="title" x="{LEFT}" y="{y.end - 8}">{title}</text>')
        parts += [
            f'<text x="{LEFT - 8}" y="{y(m) + 5:.1f}" text-anchor="end">{text}</text>'
            for m, text in within.items()
        ]
        parts += [panel(column, shown[column], lefts[column], y, list(within)) for column in shown]
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Write ``docs/growth.svg``."""
    write_text(FIGURE, draw(json.loads(OUT.read_text())))


if __name__ == "__main__":
    main()
