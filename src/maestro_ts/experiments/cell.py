"""A cell: one entrant, fitted on one division with one seed, tested under every condition.

What determines its numbers is hashed, and the hash is part of the name of its file: a finished cell
is never computed again, and one of other settings, windows or masks has another name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts._version import __version__
from maestro_ts.contract.registry import fits_at_once
from maestro_ts.evaluation.protocol import Condition
from maestro_ts.recipe import Recipe
from maestro_ts.signals.windows import Windows

__all__ = ["FORMAT", "Cell", "condition_tree", "fingerprint"]

FORMAT = 1  # of the file; raised too when a condition is tested otherwise
# What a model that no gradient trains reads of a recipe; nothing else determines its numbers.
READ_AT_ONCE = ("model_kind", "rival", "curriculum")
# Settings that came after cells were computed: off they determine nothing, and cells stay valid.
LATER: Mapping[str, Any] = {
    "training.ranking_weight": 0.0,
    "symbols.course": False,
    "augmentation.slower": 0.0,
    "symbols.missing": "symbol",
    "model.modality_embedding": True,
}


@dataclass(frozen=True)
class Cell:
    """What is to be computed.

    Attributes
    ----------
    dataset : str
    windows : dict
        How recordings are cut (`WindowSpec.values`).
    data : str
        Fingerprint of all windows of the data set.
    entrant : str
        Name; it is in the file's name, and not among what determines the numbers.
    recipe : Recipe
    kind, split : str
        Kind and description of the division.
    fold, of, seed : int
    conditions : tuple of Condition
    train_subjects : tuple of str, or None
        Those of the division's training subjects that are learned from; None: all.
    pretraining : Recipe or None
        Of what the training starts from: a network pre-trained without labels on all of the
        division's training subjects, with the same seed.
    groups : tuple of tuples of str
        Modalities of which each group has a model of its own, trained on nothing else; none: one
        model of all.
    costs : bool
        What a pass costs is measured too.
    """

    dataset: str
    windows: Mapping[str, Any]
    data: str
    entrant: str
    recipe: Recipe
    kind: str
    split: str
    fold: int
    of: int
    seed: int
    conditions: tuple[Condition, ...]
    train_subjects: tuple[str, ...] | None = None
    pretraining: Recipe | None = None
    groups: tuple[tuple[str, ...], ...] = ()
    costs: bool = False

    def determined_by(self) -> dict[str, Any]:
        """Everything that the numbers follow from, as plain values."""
        few = {} if self.train_subjects is None else {"train_subjects": list(self.train_subjects)}
        start = {} if self.pretraining is None else {"pretraining": _settings(self.pretraining)}
        alone = {"groups": [list(g) for g in self.groups]} if self.groups else {}
        return {
            "version": __version__,
            "dataset": self.dataset,
            "windows": dict(self.windows),
            "data": self.data,
            "recipe": {"name": self.recipe.name, **_settings(self.recipe)},
            "split": {"kind": self.kind, "text": self.split, "fold": self.fold, "of": self.of},
            **few,
            **start,
            **alone,
            **({"costs": True} if self.costs else {}),
            "seed": self.seed,
            "conditions": [condition_tree(c) for c in self.conditions],
        }

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits."""
        tree = self.determined_by()
        tree["recipe"].pop("name")
        text = json.dumps([FORMAT, tree], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()

    def path(self, out: Path) -> Path:
        """Its file, or folder, below a folder of cells."""
        name = f"{self.entrant}-fold{self.fold}-seed{self.seed}-{self.hash}"
        return out / self.dataset / (name if self.unlabelled else f"{name}.json")

    @property
    def unlabelled(self) -> bool:
        """A pre-training, for other cells to start from: a folder, tested under no condition."""
        return not self.conditions

    @property
    def title(self) -> str:
        """For a line of progress."""
        return f"{self.entrant}, fold {self.fold}, seed {self.seed}"


def _settings(recipe: Recipe) -> dict[str, Any]:
    """A recipe without its name, which is what it says, and without what its model never reads."""
    tree = recipe.model_dump(mode="json")
    del tree["name"]
    if fits_at_once(recipe):
        held = {"training": {"validation_share": recipe.training.validation_share}}
        return {key: tree[key] for key in READ_AT_ONCE} | held
    for key, off in LATER.items():
        group, _, leaf = key.partition(".")
        if tree[group][leaf] == off:
            del tree[group][leaf]
    return tree


def condition_tree(condition: Condition) -> dict[str, Any]:
    """A condition as plain values."""
    return {
        "mode": condition.mode,
        "rate": condition.rate,
        "pattern": list(condition.pattern),
        "seed": condition.seed,
        # Conditions that came later: of others the cells that were computed before stay valid.
        **({"sensors": list(condition.sensors)} if condition.sensors else {}),
        **({"amount": condition.amount} if condition.amount else {}),
    }


def fingerprint(windows: Windows) -> str:
    """All that windows hold, as 16 hexadecimal digits: identities, labels and every sample.

    The same windows have the same one from files and from a store.
    """
    digest = hashlib.blake2b(digest_size=8)
    for array in (windows.ids, windows.duration_s, windows.present):
        digest.update(np.ascontiguousarray(array).tobytes())
    _feed(digest, [str(s) for s in windows.subjects])
    _feed(digest, [] if windows.labels is None else [str(x) for x in windows.labels])
    for name in windows.schema.names:
        samples = windows.samples[name]
        _feed(digest, [name])
        digest.update(np.ascontiguousarray(samples.lengths).tobytes())
        for part in samples.chunks():
            piece = samples.take(np.arange(part.start, part.stop))
            values, times, _ = piece.flat()
            digest.update(np.where(np.isnan(values), np.float32(np.nan), values).tobytes())
            if samples.times is not None:
                digest.update(times.tobytes())
    return digest.hexdigest()


def _feed(digest: Any, words: Sequence[str]) -> None:
    digest.update(json.dumps(words).encode())
