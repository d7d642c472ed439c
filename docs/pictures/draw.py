"""Draw the pictures of how-it-works.md (no arguments); a test holds them to the code."""

from __future__ import annotations

from pathlib import Path

import budget
import fusion

import symbols
from maestro_ts.atomic import write_text

__all__ = ["PICTURES"]

HERE = Path(__file__).parent
PICTURES = {"symbols.svg": symbols.draw, "fusion.svg": fusion.draw, "budget.svg": budget.draw}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        write_text(HERE / name, draw())
