"""Draw the README curve from the results of ``experiment missingness`` (no arguments)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text

DOCS = Path(__file__).parents[1] / "docs"
LINES = {
    "maestro": ("MAESTRO, recipe default", "#0072b2", ""),
    "lightgbm": ("LightGBM, nine statistics", "#d55e00", ""),
    "lightgbm-31": ("LightGBM, 31 statistics", "#e69f00", "6 4"),
    "multirocket-hydra": ("MultiRocket-Hydra", "#009e73", "2 3"),
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 62, 20, 46, 48
FLOOR, CEILING = 0.3, 1.0
STYLE = """
text{font:13px system-ui,sans-serif;fill:#222} .title{font-weight:600;font-size:15px}
.grid{stroke:#ccc;stroke-width:1} .card{fill:#fff}
@media (prefers-color-scheme:dark){text{fill:#ddd} .grid{stroke:#444} .card{fill:#111}}
"""


def x_of(rate: float) -> float:
    """Horizontal place of a missing rate."""
    return LEFT + rate / 0.8 * (WIDTH - LEFT - RIGHT)


def y_of(score: float) -> float:
    """Vertical place of a score."""
    return TOP + (CEILING - score) / (CEILING - FLOOR) * (HEIGHT - TOP - BOTTOM)


def grid() -> list[str]:
    """Axes with their numbers."""
    parts = []
    for score in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        y = y_of(score)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{score:.1f}</text>')
    for rate in (0.0, 0.2, 0.4, 0.6, 0.8):
        parts.append(
            f'<text x="{x_of(rate):.1f}" y="{HEIGHT - 28}" text-anchor="middle">{rate:.0%}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
        "sensors missing</text>"
    )
    return parts


def line(model: str, rows: list[dict[str, Any]], place: int) -> list[str]:
    """One model: band of its 95 % interval by subject (ours only), line, points, legend entry."""
    name, colour, dash = LINES[model]
    points = [(x_of(r["rate"]), y_of(r["macro_f1"])) for r in rows]
    parts = []
    if model == "maestro":
        upper = [(x_of(r["rate"]), y_of(r["macro_f1_interval"][1])) for r in rows]
        lower = [(x_of(r["rate"]), y_of(max(r["macro_f1_interval"][0], FLOOR))) for r in rows]
        outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *lower[::-1]])
        parts.append(f'<polygon points="{outline}" fill="{colour}" opacity=".15"/>')
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5" '
        f'stroke-dasharray="{dash}"/>'
    )
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
    y = HEIGHT - BOTTOM - 20 - 20 * place
    parts.append(
        f'<line x1="{LEFT + 16}" x2="{LEFT + 46}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" '
        f'stroke-width="2.5" stroke-dasharray="{dash}"/><text x="{LEFT + 54}" y="{y}">{name}</text>'
    )
    return parts


def draw(models: dict[str, list[dict[str, Any]]]) -> str:
    """The whole picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Macro-F1 on UMAFall against the share of missing sensors">',
        f"<style>{STYLE}</style>",
        f'<rect class="card" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="24">Macro-F1 on UMAFall, 15 classes, '
        "people the model has never seen</text>",
        *grid(),
    ]
    shown = [m for m in LINES if m in models]
    for place, model in enumerate(reversed(shown)):
        rows = [r for r in models[model] if r["mode"] == "modality"]
        parts += line(model, rows, place)
    return "\n".join([*parts, "</svg>"]) + "\n"


def read(results: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of every model."""
    summary = json.loads((results / "missingness/umafall/summary.json").read_text())
    return {e["name"]: e["conditions"] for e in summary["entrants"]}


def main() -> None:
    """Write ``docs/curve.svg``."""
    write_text(DOCS / "curve.svg", draw(read(DOCS / "results")))


if __name__ == "__main__":
    main()
