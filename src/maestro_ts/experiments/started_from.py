"""What a fit was started from: kept, told on its card, compared with its test subjects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.errors import RunError
from maestro_ts.signals.datasets import DATASETS
from maestro_ts.training.run import Run
from maestro_ts.training.start import Start

__all__ = ["check_resumed", "keep_origin", "origin_of", "seen_before", "subjects_seen", "told"]

FILE = "init.json"
FITTED, PRETRAINED = "subjects_fitted", "subjects_pretrained"


def origin_of(start: Start) -> dict[str, Any]:
    """The run, which weights it had, and what was done with it."""
    weights = hashlib.blake2b(Run(start.folder).model.read_bytes(), digest_size=8).hexdigest()
    return {
        "run": str(start.folder),
        "weights": weights,
        "labelled": start.model.labelled,
        "added": list(start.added),
        "frozen": start.freeze,
    }


def check_resumed(top: Path, start: Start | None, *, resume: bool) -> None:
    """A training that is gone on with must have been started from the same run.

    Raises
    ------
    RunError
        It was started from another, or from none.
    """
    path = top / FILE
    now = None if start is None else origin_of(start)
    before = json.loads(path.read_text()) if path.exists() else None
    if resume and Run(top).settings.exists() and before != now:
        raise RunError(
            f"the run was started from {(before or {}).get('run', 'no other run')}, "
            "and not as is asked for now.",
            where=str(path),
            fix="Resume with the same --init, --add-modality and --freeze, or use --overwrite.",
        )


def keep_origin(top: Path, start: Start | None) -> None:
    """Write down what an unfinished run was started from."""
    if start is not None:
        write_text(top / FILE, json.dumps(origin_of(start), indent=1) + "\n")


def subjects_seen(
    start: Start | None, dataset: str, subjects: Sequence[str], *, labelled: bool = True
) -> dict[str, dict[str, list[str]]]:
    """Subjects by data set that a model has learned from, with labels and without, for its run."""
    before = {} if start is None else start.model.extra
    found = {key: dict(before.get(key, {})) for key in (FITTED, PRETRAINED)}
    part = found[FITTED if labelled else PRETRAINED]
    part[dataset] = sorted({*part.get(dataset, []), *subjects})
    return found


def seen_before(start: Start, dataset: str, test: Collection[str]) -> str:
    """A note where the run has learned from test subjects without their labels; "" if not.

    Subjects are known by name, so those of two published data sets are not compared.

    Raises
    ------
    RunError
        It has learned from test subjects with their labels.
    """
    extra = start.model.extra
    fitted = _among(extra.get(FITTED, {}), dataset, test)
    if fitted:
        raise RunError(
            f"has learned the labels of {len(fitted)} of {len(test)} test subjects "
            f"({_few(fitted)}): the test would tell nothing.",
            where=str(start.folder),
            fix="Use the folds and the seed of that run, or start from another one.",
        )
    known = _among(extra.get(PRETRAINED, {}), dataset, test)
    if known:
        return (
            f"NOT UNSEEN: {len(known)} of {len(test)} test subjects ({_few(known)}) were among "
            f"those that {start.folder} was pre-trained on, without their labels. The scores are "
            "not those of people the model has never seen: pre-train with --fold to leave them out."
        )
    if FITTED not in extra:
        return (
            f"{start.folder} does not say which subjects it was trained on: test subjects may be "
            "among them."
        )
    return ""


def told(start: Start) -> str:
    """One line for the card."""
    how = "trained" if start.model.labelled else "pre-trained without labels"
    added = f"; added: {', '.join(start.added)}" if start.added else ""
    frozen = "; all else frozen but the head" if start.freeze else ""
    return f"{start.folder}, {how}{added}{frozen}"


def _among(seen: dict[str, list[str]], dataset: str, test: Collection[str]) -> list[str]:
    found: set[str] = set()
    for name, subjects in seen.items():
        if name == dataset or not {name, dataset} <= set(DATASETS):
            found |= set(subjects) & set(test)
    return sorted(found)


def _few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
