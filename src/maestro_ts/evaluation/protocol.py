"""The protocol: which absences and faults a model is tested under, and what comes out of each.

One missing pattern per window, fixed by the window's identity and the seed, the same for every
model. With five modalities or fewer all patterns are tested, and the modality curve is their
exact average; otherwise it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.missing_classes import lost_share
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.signals.irregularity import jittered, skewed, slower
from maestro_ts.signals.levels import Levels
from maestro_ts.signals.masks import (
    Mask,
    all_patterns,
    hide,
    mask_of,
    part_mask,
    pattern_mask,
    realised_rate,
)
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.noise import add_noise, add_spikes, replace_by_noise
from maestro_ts.signals.windows import Windows

__all__ = ["RATES", "Condition", "Outcome", "conditions", "evaluate", "pool"]

PATTERNS_UP_TO = 5  # modalities
RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
NOISE: Mapping[
    str, Callable[[Windows, Condition, Levels], Windows]
] = {  # what some sensors deliver instead, of a size in deviations of training windows
    "replaced": lambda windows, c, levels: replace_by_noise(windows, c.sensors, levels, c.seed),
    "noise": lambda windows, c, levels: add_noise(windows, c.sensors, c.amount, levels, c.seed),
    "spikes": lambda windows, c, levels: add_spikes(windows, c.sensors, c.amount, levels, c.seed),
}
TIMES: Mapping[str, Callable[[Windows, Condition], Windows]] = {  # how all sensors keep time
    "jitter": lambda windows, c: jittered(windows, c.amount, c.seed),
    "skew": lambda windows, c: skewed(windows, c.amount, c.seed),
    "slower": lambda windows, c: slower(windows, c.amount),
}


@dataclass(frozen=True)
class Condition:
    """One kind of absence, or of what is spoilt.

    Attributes
    ----------
    mode : {"modality", "device", "segment", "points", "pattern", "absent", "first", "last"}
        Or one of `NOISE` and `TIMES`, under which values or times are not the recorded ones.
    rate : float
        Nominal rate of what is lost; 0 for a pattern, and where nothing is.
    pattern : tuple of str
        The modalities that are kept, for mode ``pattern``.
    seed : int
    sensors : tuple of str
        The modalities that are absent, lack the first or last part, or deliver noise.
    amount : float
        Of ``noise`` and ``spikes`` in deviations of the training windows, of ``jitter`` and
        ``skew`` as share of the window, of ``slower`` the share of the samples that exists.
    """

    mode: str
    rate: float = 0.0
    pattern: tuple[str, ...] = ()
    seed: int = 0
    sensors: tuple[str, ...] = ()
    amount: float = 0.0

    def mask(self, windows: Windows) -> Mask:
        """What is hidden in these windows."""
        names = windows.schema.names
        match self.mode:
            case "pattern":
                return pattern_mask(windows, self.pattern)
            case "absent":
                return pattern_mask(windows, [n for n in names if n not in self.sensors])
            case "first":
                return part_mask(windows, self.sensors, 0.0, self.rate)
            case "last":
                return part_mask(windows, self.sensors, 1.0 - self.rate, 1.0)
        return mask_of(self.mode)(windows, self.rate, self.seed)

    def seen(self, windows: Windows, levels: Levels | None = None) -> Windows:
        """These windows as a model gets them; noise needs the levels of the training windows."""
        if self.mode in TIMES:
            return TIMES[self.mode](windows, self)
        if self.mode in NOISE:
            if levels is None:
                raise ConfigError(f"the size of {self.mode!r} is told in training windows.")
            return NOISE[self.mode](windows, self, levels)
        return hide(windows, self.mask(windows))


@dataclass(frozen=True)
class Outcome:
    """What a model said under one condition.

    Attributes
    ----------
    realised : float
        Share of the naturally present modalities (or samples, for segments) that was lost.
    truth : (n,), int64 of classes, float64 of numbers; subjects : (n,); ids : (n,)
    complete : (n,), bool
        All modalities were naturally present.
    present : (n, M), bool
        What the model saw.
    lost : (n,)
        Share of the samples lost in what it saw, see `missing_classes.lost_share`.
    """

    condition: Condition
    realised: float
    truth: NDArray[Any]
    subjects: NDArray[np.str_]
    ids: NDArray[np.uint64]
    complete: NDArray[np.bool_]
    present: NDArray[np.bool_]
    lost: NDArray[np.float64]
    prediction: Prediction

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Most probable class, (n,)."""
        return np.asarray(self.prediction.logits.argmax(axis=1))


def conditions(
    schema: Schema, rates: Sequence[float], modes: Sequence[str], seed: int = 0
) -> list[Condition]:
    """The conditions of a test: every mode at every rate, and every pattern where there are few.

    The first is complete input, whatever the rates: what is told per subject refers to it.
    """
    few = len(schema) <= PATTERNS_UP_TO
    rates = sorted({0.0, *map(float, rates)})
    plan = []
    if few and "modality" in modes:
        plan += [Condition("pattern", pattern=p) for p in all_patterns(schema)]
    for mode in modes:
        if mode == "modality" and few:
            continue
        plan += [Condition(mode, rate, seed=seed) for rate in rates]
    return plan


def evaluate(
    predict: Callable[[Windows], Prediction],
    windows: Windows,
    truth: NDArray[Any],
    plan: Sequence[Condition],
    progress: Callable[[int, int], None] = lambda done, total: None,
    levels: Levels | None = None,
) -> list[Outcome]:
    """Test a model under each condition. Nothing is drawn but what the conditions fix.

    Noise needs `levels`, of the windows that the model was trained on.
    """
    outcomes = []
    for i, condition in enumerate(plan):
        seen = condition.seen(windows, levels)
        outcomes.append(
            Outcome(
                condition=condition,
                realised=realised_rate(windows, seen, condition.mode),
                truth=truth,
                subjects=windows.subjects,
                ids=windows.ids,
                complete=np.asarray(windows.present.all(axis=1)),
                present=seen.present,
                lost=lost_share(seen),
                prediction=predict(seen),
            )
        )
        progress(i + 1, len(plan))
    return outcomes


def pool(folds: Sequence[Sequence[Outcome]]) -> list[Outcome]:
    """Join the outcomes of several folds, condition by condition."""
    pooled = []
    for same in zip(*folds, strict=True):
        first = same[0]
        weight = np.array([len(o.truth) for o in same], dtype=float)
        pooled.append(
            replace(
                first,
                realised=float(np.average([o.realised for o in same], weights=weight)),
                truth=np.concatenate([o.truth for o in same]),
                subjects=np.concatenate([o.subjects for o in same]),
                ids=np.concatenate([o.ids for o in same]),
                complete=np.concatenate([o.complete for o in same]),
                present=np.concatenate([o.present for o in same]),
                lost=np.concatenate([o.lost for o in same]),
                prediction=Prediction(
                    # Folds may have temperatures of their own.
                    logits=np.concatenate([o.prediction.scaled for o in same]),
                    budgets=_joined([o.prediction.budgets for o in same]),
                    expert_share=_joined([o.prediction.expert_share for o in same]),
                    tokens=_joined([o.prediction.tokens for o in same]),
                ),
            )
        )
    return pooled


def _joined(parts: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    there = [p for p in parts if p is not None]
    return np.concatenate(there) if there and len(there) == len(parts) else None
