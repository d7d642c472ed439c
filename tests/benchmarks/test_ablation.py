"""The committed page of the ablation is what the files give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ablation import PAGE, RESULTS, page
from maestro_ts.atomic import write_text


def entrant(name: str, f1: float) -> dict[str, Any]:
    rows = [("modality", 0.0), ("modality", 0.4), ("modality", 0.8), ("segment", 0.4)]
    return {
        "name": name,
        "title": f"{name} it is",
        "conditions": [{"mode": m, "rate": r, "macro_f1": f1 - r / 4} for m, r in rows],
        "areas": {mode: {"macro_f1": f1 - 0.1} for mode in ("modality", "segment")},
    }


def write_set(folder: Path, parts: dict[str, float]) -> None:
    worth = {
        name: {"modality": {"macro_f1": [0.9 - f1, 0.0, 1.0]}, "segment": {"macro_f1": [0.0, 0, 0]}}
        for name, f1 in parts.items()
    }
    summary = {
        "dataset": {"name": folder.name, "title": "A set"},
        "folds": [0],
        "folds_of": 4,
        "seeds": [0],
        "n": 40,
        "classes": ["a", "b"],
        "entrants": [entrant("maestro", 0.9), *(entrant(n, f1) for n, f1 in parts.items())],
        "differences": [{"a": "maestro", "b": n, "areas": areas} for n, areas in worth.items()],
    }
    write_text(folder / "summary.json", json.dumps(summary))


def test_the_committed_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(RESULTS), "run: python benchmarks/ablation.py"


def test_parts_are_ranked_by_their_mean_worth_and_what_was_not_run_is_a_dash(
    tmp_path: Path,
) -> None:
    write_set(tmp_path / "one", {"words": 0.8, "course": 0.91})
    write_set(tmp_path / "two", {"words": 0.85})
    lines = page(tmp_path).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("## Worth, whole"))
    words, course = lines[start + 4], lines[start + 5]
    assert words == "| words it is | +.100 | +.050 | +.075 |"
    assert course == "| course it is | −.010 | – | −.010 |"
    assert "| words it is | .800 | .700 | .600 | .700 | .700 | .700 |" in lines
    assert any("fold 0 alone of 4 by subject, 40 test windows" in line for line in lines)
