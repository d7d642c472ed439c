"""`Prediction` of windows → the JSON of an answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.deploy.service.bodies import Asked
from maestro_ts.deploy.service.picture import signals_of, symbols_of
from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.timeline import WindowPredictions, merge_windows
from maestro_ts.signals.windows import Windows

__all__ = ["Show", "answer"]


class Show(StrEnum):
    """What an answer may hold besides its windows."""

    timeline = "timeline"
    symbols = "symbols"
    signals = "signals"


def answer(
    run: ServedRun,
    asked: Asked,
    windows: Windows,
    found: Sequence[Prediction],
    show: Collection[Show],
) -> dict[str, Any]:
    """Plain values as of `messages.Answer`.

    Parameters
    ----------
    windows : Windows
        All of them; those of a recording follow each other.
    found : sequence of Prediction
        Of parts of the windows, in their order.
    show : collection of Show
    """
    probabilities = np.concatenate([p.probabilities for p in found])
    budgets = None
    if all(p.budgets is not None for p in found):
        budgets = np.concatenate([np.asarray(p.budgets) for p in found])
    said = _windows(run, windows, probabilities, budgets)
    recordings = []
    for recording, name in zip(asked.recordings, asked.names, strict=True):
        rows = np.flatnonzero(windows.sources == recording.source)
        one: dict[str, Any] = {
            "name": name,
            "subject": recording.subject,
            "duration_s": recording.duration_s,
            "windows": [said[i] for i in rows],
            "timeline": None,
            "symbols": None,
            "signals": None,
        }
        if Show.timeline in show:
            one["timeline"] = _timeline(run, windows[rows], probabilities[rows])
        if Show.symbols in show:
            one["symbols"] = symbols_of(run.model.front_end_, windows[rows])
        if Show.signals in show:
            one["signals"] = signals_of(recording)
        recordings.append(one)
    return {"run": run.name, "recordings": recordings}


def _windows(
    run: ServedRun,
    windows: Windows,
    probabilities: NDArray[np.float64],
    budgets: NDArray[np.float64] | None,
) -> list[dict[str, Any]]:
    classes, names = run.classes, windows.schema.names
    best = probabilities.argmax(axis=1)
    rows = []
    for i in range(len(windows)):
        present = [n for n, there in zip(names, windows.present[i], strict=True) if there]
        shares: dict[str, float] = {}
        if budgets is not None:
            known = dict(zip(names, budgets[i].tolist(), strict=True))
            shares = {name: round(known[name], 6) for name in present}
        rows.append(
            {
                "start_s": float(windows.start_s[i]),
                "duration_s": float(windows.duration_s[i]),
                "class": classes[best[i]],
                "probabilities": dict(zip(classes, probabilities[i].tolist(), strict=True)),
                "budgets": shares,
                "present": present,
                "nothing_present": not present,
            }
        )
    return rows


def _timeline(
    run: ServedRun, windows: Windows, probabilities: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Windows of one recording merged; see `evaluation.timeline`."""
    merged = merge_windows(
        WindowPredictions(
            sources=windows.sources,
            subjects=windows.subjects,
            start_s=windows.start_s,
            duration_s=windows.duration_s,
            probabilities=probabilities,
            known=np.asarray(windows.present.any(axis=1)),
            classes=tuple(run.classes),
        )
    )
    return [
        {
            "start_s": float(merged.start_s[i]),
            "end_s": float(merged.end_s[i]),
            "probabilities": merged.probabilities[i].tolist() if merged.known[i] else None,
        }
        for i in range(len(merged))
    ]
