"""Simulated: WESAD's ten sensors, made by NeuroKit2 instead of people; for tests and teaching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, MissingExtraError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.datasets.wesad import SENSORS
from maestro_ts.signals.failures import Failure, apply_failures
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["CARD", "CONDITIONS", "read", "simulate"]


@dataclass(frozen=True)
class Condition:
    """What a condition does to a simulated body."""

    heart_rate: float  # beats per minute
    breaths: float  # per minute
    skin_responses: float  # per minute
    bursts: float  # of muscle activity, per minute
    movement_g: float
    warming: float  # degrees Celsius per minute


CONDITIONS = {
    "baseline": Condition(68, 13, 1, 2, 0.01, 0.0),
    "stress": Condition(92, 19, 8, 10, 0.05, -0.1),
    "amusement": Condition(76, 16, 3, 6, 0.03, 0.05),
}
SUBJECTS = 6
CONDITION_S = 120
SEED = 2026
SCHEMA = Schema(sensor.modality for sensor in SENSORS)
CHEST_HZ = 700
SKIN_HZ = 100  # of the simulation; a multiple of 4 Hz

CARD = Card(
    name="simulated",
    title="SIMULATED signals in the shape of WESAD (nobody was recorded)",
    task="3 simulated conditions: baseline, stress, amusement; for tests and teaching only",
    schema=SCHEMA,
    classes=tuple(CONDITIONS),
    windows=WindowSpec(duration_s=8.0, step_s=4.0),
    label_rule="A window lies entirely within one simulated condition.",
    licence="simulated: no data of people; NeuroKit2, which makes most signals, is MIT",
    citation=(
        "D. Makowski et al.: NeuroKit2: A Python toolbox for neurophysiological signal processing. "
        "Behavior Research Methods 53 (2021) 1689-1696."
    ),
    how_to_get='pip install "maestro-ts[physio]", then no file is needed',
    subjects=SUBJECTS,
    package="neurokit2",
    quirks=(
        "Simulated: scores on it say that a program works, nothing about stress or sensors.",
        "ECG, EMG, EDA, respiration and BVP come from NeuroKit2; ACC is gravity with noise, TEMP a "
        "slow drift. The conditions differ in heart rate, breathing, skin responses, muscle "
        "bursts, movement and warming by numbers that were chosen, not measured.",
        "Always the same six subjects of 3 conditions of 2 minutes; `simulate` makes others, and "
        "spoils them by a script of failures.",
    ),
)


def read(
    path: Path | None = None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Make the six subjects.

    Parameters
    ----------
    path : None
        There is nothing to read.
    progress : callable (done, total)
        Told after each subject.

    Raises
    ------
    MissingExtraError
        NeuroKit2 is not installed.
    """
    if path is not None:
        raise ConfigError("The data set 'simulated' is made, not read.", fix="Give no path.")
    recordings = []
    for i in range(SUBJECTS):
        recordings.append(simulate(f"simulated_{i + 1}", np.random.default_rng([SEED, i])))
        progress(i + 1, SUBJECTS)
    return Reading(recordings)


def simulate(
    subject: str,
    rng: np.random.Generator,
    *,
    condition_s: int = CONDITION_S,
    failures: Sequence[Failure] = (),
) -> Recording:
    """Make one subject: the conditions one after another, then the failures.

    Parameters
    ----------
    subject : str
    rng : Generator
    condition_s : int
        Length of each condition in seconds; 10 at least.
    failures : sequence of Failure

    Returns
    -------
    Recording
        All ten sensors over the whole time, except for the failures.
    """
    if condition_s < 10:
        raise ConfigError(f"condition_s must be 10 s at least, got {condition_s!r}.")
    neurokit = _neurokit()
    faster = rng.normal(0, 4)  # this subject's heart, against the condition's
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in SCHEMA.names}
    for condition in CONDITIONS.values():
        made = _physiology(neurokit, condition, faster, condition_s, rng)
        for device, rate_hz in (("chest", CHEST_HZ), ("wrist", 32)):
            made[f"{device}_acc"] = _movement(condition, condition_s * rate_hz, rng)
        for device, rate_hz, start in (("chest", CHEST_HZ, 31.0), ("wrist", 4, 33.5)):
            before = parts[f"{device}_temp"]
            start = float(before[-1][-1, 0]) if before else start + rng.normal(0, 0.5)
            made[f"{device}_temp"] = _temperature(condition, start, condition_s, rate_hz, rng)
        for name, values in made.items():
            parts[name].append(values)
    recording = Recording(
        {
            name: Stream(np.concatenate(values).astype(np.float32), SCHEMA[name].rate_hz)
            for name, values in parts.items()
        },
        subject=subject,
        source=subject,
        labels=tuple(
            Interval(float(i * condition_s), float((i + 1) * condition_s), name)
            for i, name in enumerate(CONDITIONS)
        ),
        notes=("simulated: nobody was recorded",),
    )
    return apply_failures(recording, failures)


def _neurokit() -> Any:
    try:
        import neurokit2
    except ImportError as error:
        raise MissingExtraError.of("neurokit2", "physio", "The simulated data set") from error
    return neurokit2


def _physiology(
    neurokit: Any, condition: Condition, faster: float, seconds: int, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """What NeuroKit2 makes of one condition, each (n, 1) at its modality's rate."""

    def make(function: str, rate_hz: int, **settings: Any) -> NDArray[np.float64]:
        seed = int(rng.integers(2**31))
        values = getattr(neurokit, function)(
            duration=seconds, sampling_rate=rate_hz, random_state=seed, **settings
        )
        return np.asarray(values, dtype=np.float64)[: seconds * rate_hz, None]

    def per_part(per_minute: float) -> int:
        return max(1, round(per_minute * seconds / 60))

    heart_rate = condition.heart_rate + faster
    responses, breaths = per_part(condition.skin_responses), condition.breaths
    skin = {"scr_number": responses, "drift": 0.0, "noise": 0.01}
    return {
        "chest_ecg": make("ecg_simulate", CHEST_HZ, heart_rate=heart_rate),
        "chest_emg": make("emg_simulate", CHEST_HZ, burst_number=per_part(condition.bursts)),
        "chest_eda": make("eda_simulate", CHEST_HZ, **skin),
        "chest_resp": make("rsp_simulate", CHEST_HZ, respiratory_rate=breaths),
        "wrist_bvp": make("ppg_simulate", 64, heart_rate=heart_rate),
        "wrist_eda": make("eda_simulate", SKIN_HZ, **skin)[:: SKIN_HZ // 4],
    }


def _movement(condition: Condition, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Gravity in a direction that is drawn anew, and movement about it: (n, 3) in g."""
    direction = rng.normal(size=3)
    return direction / np.linalg.norm(direction) + rng.normal(0, condition.movement_g, (n, 3))


def _temperature(
    condition: Condition, start: float, seconds: int, rate_hz: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A drift from where the last condition ended, with a thermometer's noise: (n, 1)."""
    minutes = np.arange(seconds * rate_hz) / rate_hz / 60
    return (start + condition.warming * minutes + rng.normal(0, 0.01, len(minutes)))[:, None]
