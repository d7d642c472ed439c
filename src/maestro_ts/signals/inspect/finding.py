"""What a look at recordings found: plain, frozen, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ClassSummary", "Dependence", "Finding", "Inspection", "ModalitySummary"]


@dataclass(frozen=True)
class Finding:
    """Something suspicious.

    Attributes
    ----------
    kind : str
        ``gap``, ``unit-change``, …; the table `KINDS` says what each means.
    where : str
        Recording; empty when it is about all of them.
    modality : str
        Empty when it is about none.
    what : str
        With the values seen.
    share : float
        How much of the stream (or of the recordings) it touches, 0 to 1.
    """

    kind: str
    where: str
    modality: str
    what: str
    share: float


@dataclass(frozen=True)
class ModalitySummary:
    """One modality over all recordings.

    Attributes
    ----------
    name, unit, device : str
    channels : int
    static : bool
    stated_hz : float or None
    rate_hz : tuple of three floats, or None
        Lowest, median and highest rate that the time stamps of a recording tell (median step).
    recordings : int
        In how many it is there.
    samples : int
    missing_share : float
        Of the samples that are there, how many have no value in any channel.
    gaps : int
    largest_gap_s : float
    jitter : float or None
        Quartile distance of the steps over their median, median over the recordings.
    lowest, highest : float or None
        Of all values.
    """

    name: str
    unit: str
    device: str
    channels: int
    static: bool
    stated_hz: float | None
    rate_hz: tuple[float, float, float] | None
    recordings: int
    samples: int
    missing_share: float
    gaps: int
    largest_gap_s: float
    jitter: float | None
    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class ClassSummary:
    """One label: how many stretches, seconds and subjects have it."""

    label: str
    stretches: int
    seconds: float
    subjects: int


@dataclass(frozen=True)
class Dependence:
    """Whether the presence of a modality tells the class, over labelled stretches.

    Attributes
    ----------
    modality : str
    present, absent : dict of label to count
    chi_square, p : float
        The p value takes stretches as independent, which those of one subject are not.
    cramers_v : float
        0: tells nothing, 1: tells the class.
    """

    modality: str
    present: Mapping[str, int]
    absent: Mapping[str, int]
    chi_square: float
    p: float
    cramers_v: float


@dataclass(frozen=True)
class Inspection:
    """All that `inspect` has to say.

    Attributes
    ----------
    name, title, clock : str
    recordings, subjects : int
    hours : float
    modalities : tuple of ModalitySummary
    classes : tuple of ClassSummary
    dependences : tuple of Dependence
        Only of modalities that are absent somewhere.
    guess : tuple of two floats, or None
        Share of stretches guessed right by the most frequent class, and by the most frequent
        class of those with the same sensors: what absence alone gives away.
    findings : tuple of Finding
    refused : tuple of (where, why)
    notes : tuple of (recording, note)
    unused : tuple of str
    """

    name: str
    title: str
    clock: str
    recordings: int
    subjects: int
    hours: float
    modalities: tuple[ModalitySummary, ...]
    classes: tuple[ClassSummary, ...]
    dependences: tuple[Dependence, ...]
    guess: tuple[float, float] | None
    findings: tuple[Finding, ...]
    refused: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]
