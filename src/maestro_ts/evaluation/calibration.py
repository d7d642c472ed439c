"""`Calibration`: temperature and thresholds of prediction sets, from windows not trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import write_text
from maestro_ts.errors import ConfigError, RunError
from maestro_ts.evaluation.conformal import (
    GRID,
    attainable,
    check_coverage,
    grid_row,
    thresholds,
)
from maestro_ts.evaluation.missing_classes import assign, choose
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import (
    PATTERNS_UP_TO,
    RATES,
    Condition,
    Outcome,
    conditions,
    evaluate,
)
from maestro_ts.evaluation.temperature import Temperature, fit_temperature
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows

__all__ = [
    "FORMAT",
    "Calibration",
    "MissingClass",
    "ask_held_out",
    "calibrated",
    "calibration_plan",
    "fit_calibration",
    "needed",
]

FORMAT = 1


@dataclass(frozen=True)
class MissingClass:
    """A class of what is missing.

    Attributes
    ----------
    windows, subjects : int
        That it was calibrated on; a window counts once under every absence it was given.
    thresholds : list of float or None
        Largest 1 − probability of a class in the set, for every coverage of `conformal.GRID`; None:
        all classes, because there are too few subjects.
    """

    windows: int
    subjects: int
    thresholds: list[float | None]


@dataclass(frozen=True)
class Calibration:
    """What was learned of a model's probabilities on windows that it was not trained on.

    Attributes
    ----------
    temperature : Temperature
        Logits are divided by it.
    subjects : int
        Of the windows; windows of no known subject count as one each.
    source : str
        Which windows these were.
    modalities : tuple of str
    missing : dict of str to MissingClass
        By name, see `missing_classes.choose`; ``everything`` serves all others.
    """

    temperature: Temperature
    subjects: int
    source: str
    modalities: tuple[str, ...]
    missing: dict[str, MissingClass]

    def check(self, coverage: float) -> None:
        """Refuse a coverage that so few subjects cannot vouch for.

        Raises
        ------
        ConfigError
            No share, or one above K / (K + 1) with K subjects.
        """
        check_coverage(coverage)
        most = attainable(self.subjects)
        if GRID[grid_row(coverage)] > most + 1e-12:
            share = GRID[most + 1e-12 >= GRID][-1]
            raise ConfigError(
                f"a coverage of {coverage:g} needs {needed(coverage)} calibration subjects, there "
                f"are {self.subjects}.",
                where=self.source,
                fix=f"Ask for {share:g} at most, or calibrate on more subjects.",
            )

    def sets(
        self,
        probabilities: NDArray[np.float64],
        present: NDArray[np.bool_],
        lost: NDArray[np.float64],
        coverage: float,
    ) -> NDArray[np.bool_]:
        """Which classes may be the true one.

        Parameters
        ----------
        probabilities : (n, K)
            At the temperature.
        present : (n, M)
        lost : (n,)
            See `missing_classes.lost_share`.
        coverage : float
            Share of the windows of a new subject whose set is to hold the true class.

        Returns
        -------
        (n, K), bool
            Sets grow with the coverage. One may be empty: no class is likely enough.

        Raises
        ------
        ConfigError
            See `check`.
        """
        self.check(coverage)
        row = grid_row(coverage)
        mine = assign(present, lost, self.modalities, self.missing)
        names, which = np.unique(mine, return_inverse=True)
        limits = [self.missing[str(name)].thresholds[row] for name in names]
        limit = np.array([np.inf if x is None else x for x in limits])[which]
        return np.asarray(1.0 - probabilities <= limit[:, None])

    def save(self, path: Path) -> None:
        """Write JSON, atomically."""
        tree = asdict(self) | {"format": FORMAT}
        write_text(path, json.dumps(tree, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Calibration | None:
        """Read JSON, None where there is no file; a newer format is refused by name."""
        again = "Make it anew: maestro-ts calibrate."
        try:
            tree = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunError(f"not JSON: {error}.", where=str(path), fix=again) from error
        newer = tree.pop("format", FORMAT) if isinstance(tree, dict) else 0
        if newer > FORMAT:
            raise RunError(
                f"calibration format {newer}, this version reads up to {FORMAT}.",
                where=str(path),
                fix="Upgrade maestro-ts.",
            )
        try:
            missing = {name: MissingClass(**item) for name, item in tree.pop("missing").items()}
            temperature = Temperature(**tree.pop("temperature"))
            modalities = tuple(tree.pop("modalities"))
            return cls(temperature, modalities=modalities, missing=missing, **tree)
        except (AttributeError, KeyError, TypeError) as error:
            raise RunError(f"not a calibration: {error!r}.", where=str(path), fix=again) from error


def calibrated(calibration: Calibration | None) -> Calibration:
    """The calibration of a model that has one.

    Raises
    ------
    ConfigError
        It has none.
    """
    if calibration is None:
        raise ConfigError(
            "sets need a calibrated model, this one is not.",
            fix="Run maestro-ts calibrate, or call its calibrate with windows that it was not "
            "trained on.",
        )
    return calibration


def needed(coverage: float) -> int:
    """Subjects without whom no set but that of all classes is sure enough."""
    return int(np.ceil(1.0 / (1.0 - GRID[grid_row(coverage)]) - 1.0 - 1e-9))


def calibration_plan(schema: Schema) -> list[Condition]:
    """Absences for a calibration: the protocol's, with devices where they differ."""
    modes = ["modality", "segment"]
    # With few modalities every pattern is there, and with it every set of devices.
    if len(schema) > PATTERNS_UP_TO and 1 < len(schema.devices) < len(schema):
        modes.append("device")
    plan = conditions(schema, RATES, modes)
    return plan[:1] + [c for c in plan[1:] if c.rate or c.mode == "pattern"]


def ask_held_out(
    predict: Callable[[Windows], Prediction],
    windows: Windows,
    truth: NDArray[np.int64],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outcome]:
    """What a model says of windows that it was not trained on, under every absence of the plan."""
    return evaluate(predict, windows, truth, calibration_plan(windows.schema), progress)


def fit_calibration(
    outcomes: Sequence[Outcome], modalities: Sequence[str], source: str
) -> Calibration:
    """Fit the temperature by log loss, then the thresholds of every class of what is missing.

    Parameters
    ----------
    outcomes : list of Outcome
        Of windows that were not trained on; `Prediction.temperature` is not looked at.
    modalities : names in the order of `Outcome.present`
    source : str
        Which windows these are.
    """
    logits = np.concatenate([o.prediction.logits for o in outcomes])
    truth = np.concatenate([o.truth for o in outcomes])
    subjects = np.concatenate([o.subjects for o in outcomes])
    present = np.concatenate([o.present for o in outcomes])
    lost = np.concatenate([o.lost for o in outcomes])
    temperature = fit_temperature(logits, truth, present, lost)
    probabilities = Prediction(logits, temperature=temperature.of(present, lost)).probabilities
    scores = 1.0 - probabilities[np.arange(len(truth)), truth]
    classes = choose(present, lost, subjects, modalities)
    return Calibration(
        temperature=temperature,
        subjects=len(np.unique(subjects)),
        source=source,
        modalities=tuple(modalities),
        missing={
            name: MissingClass(
                windows=len(rows),
                subjects=len(np.unique(subjects[rows])),
                thresholds=[
                    float(t) if np.isfinite(t) else None
                    for t in thresholds(scores[rows], subjects[rows])
                ],
            )
            for name, rows in classes.items()
        },
    )
