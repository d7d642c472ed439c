"""The real archives: MAESTRO_TS_DATA is their folder; MAESTRO_TS_REQUIRE_DATA=1 forbids skips."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("MAESTRO_TS_DATA") or Path(__file__).parents[4] / "shared" / "data")


def archive(name: str) -> Path:
    """Path of a real archive; without it the test is skipped, or fails where that is forbidden."""
    path = FOLDER / f"{name}.zip"
    if not path.is_file():
        if os.environ.get("MAESTRO_TS_REQUIRE_DATA") == "1":
            pytest.fail(f"not run: no data ({path})")
        pytest.skip("not run: no data")
    return path
