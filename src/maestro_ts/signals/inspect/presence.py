"""Labels, subjects, and whether the absence of a sensor tells the class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from maestro_ts.signals.inspect.finding import ClassSummary, Dependence, Finding
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["Stretches", "about_absence", "about_labels", "classes", "dependences", "guess"]

TELLING_V = 0.1
TELLING_P = 0.001
UNBALANCED = 10.0  # most over least stretches


class Stretches:
    """Labelled stretches, and which modalities are there in each.

    Parameters
    ----------
    recordings : sequence of Recording
    schema : Schema

    Attributes
    ----------
    labels : list of str, n
    present : ndarray, shape (n, M), bool
        At least one valid sample within the stretch.
    """

    def __init__(self, recordings: Sequence[Recording], schema: Schema) -> None:
        found = [(r, i) for r in recordings for i in r.labels]
        self.labels = [i.label for _, i in found]
        self.seconds = [i.end_s - i.start_s for _, i in found]
        self.subjects = [r.subject for r, _ in found]
        self.present = np.zeros((len(found), len(schema)), dtype=bool)
        for row, (recording, interval) in enumerate(found):
            for m, modality in enumerate(schema):
                stream = recording.streams.get(modality.name)
                if stream is not None:
                    self.present[row, m] = _is_there(stream, interval, modality.static)


def classes(stretches: Stretches, order: Sequence[str]) -> list[ClassSummary]:
    """Balance of the labels, in the given order and then by name."""
    known = [*order, *sorted(set(stretches.labels) - set(order))]
    found = []
    for label in known:
        rows = [i for i, x in enumerate(stretches.labels) if x == label]
        seconds = float(sum(stretches.seconds[i] for i in rows))
        found.append(
            ClassSummary(label, len(rows), seconds, len({stretches.subjects[i] for i in rows}))
        )
    return found


def dependences(stretches: Stretches, schema: Schema) -> list[Dependence]:
    """A test for every modality that is absent somewhere and present elsewhere."""
    from scipy.stats import chi2_contingency

    labels = sorted(set(stretches.labels))
    codes = np.array([labels.index(x) for x in stretches.labels], dtype=np.intp)
    found = []
    for m, modality in enumerate(schema):
        there = stretches.present[:, m]
        if not len(there) or there.all() or not there.any() or len(labels) < 2:
            continue
        sides = [np.bincount(codes[side], minlength=len(labels)) for side in (there, ~there)]
        counts = np.stack(sides)
        statistic, p = (float(x) for x in chi2_contingency(counts, correction=False)[:2])
        # Two rows: the smaller dimension less one is one.
        v = float(np.sqrt(statistic / len(there)))
        rows = [dict(zip(labels, map(int, row), strict=True)) for row in counts]
        found.append(Dependence(modality.name, rows[0], rows[1], statistic, p, v))
    return found


def guess(stretches: Stretches) -> tuple[float, float] | None:
    """Share guessed right without a look at any value: blindly, and from what is there."""
    if not stretches.labels:
        return None
    patterns = [row.tobytes() for row in stretches.present]
    by_pattern: dict[bytes, Counter[str]] = {}
    for pattern, label in zip(patterns, stretches.labels, strict=True):
        by_pattern.setdefault(pattern, Counter())[label] += 1
    n = len(stretches.labels)
    blind = Counter(stretches.labels).most_common(1)[0][1]
    seen = sum(counter.most_common(1)[0][1] for counter in by_pattern.values())
    return blind / n, seen / n


def about_absence(tested: Sequence[Dependence], n: int) -> Iterator[Finding]:
    """Modalities whose absence tells something of the class: a model can cheat with that."""
    for d in tested:
        if d.cramers_v >= TELLING_V and d.p < TELLING_P:
            totals = {k: d.present[k] + d.absent[k] for k in d.present}
            shares = {k: d.absent[k] / totals[k] for k in totals if totals[k]}
            low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
            what = (
                f"its absence tells the class (Cramér's V {d.cramers_v:.2f}, chi-square "
                f"{d.chi_square:.4g}): absent in {shares[high]:.0%} of {high}, "
                f"{shares[low]:.0%} of {low}"
            )
            yield Finding("absence-tells", "", d.modality, what, sum(d.absent.values()) / max(n, 1))


def about_labels(
    recordings: Sequence[Recording], found: Sequence[ClassSummary]
) -> Iterator[Finding]:
    """Classes that are rare, or that one subject has alone; recordings without label."""
    unlabelled = [r for r in recordings if not r.labels]
    if not found:
        return
    if unlabelled:
        what = f"{len(unlabelled)} recordings have no label, the first is {unlabelled[0].source}"
        yield Finding("no-label", "", "", what, len(unlabelled) / len(recordings))
    most = max(found, key=lambda c: c.stretches)
    total = sum(c.stretches for c in found)
    for c in found:
        if not c.stretches:
            yield Finding("class-absent", "", "", f"no recording has the label {c.label!r}", 0.0)
        elif c.subjects < 2:
            what = f"only one subject has the label {c.label!r}: it cannot be tested on another"
            yield Finding("one-subject", "", "", what, c.stretches / total)
        elif most.stretches > UNBALANCED * c.stretches:
            what = f"{c.label!r} has {c.stretches} stretches, {most.label!r} {most.stretches}"
            yield Finding("unbalanced", "", "", what, c.stretches / total)


def _is_there(stream: Stream, interval: Interval, static: bool) -> bool:
    valid = ~np.asarray(np.isnan(stream.values).all(axis=1))
    if static:
        return bool(valid.any())
    times = stream.sample_times()
    low, high = np.searchsorted(times, [interval.start_s, interval.end_s])
    return bool(valid[low:high].any())
