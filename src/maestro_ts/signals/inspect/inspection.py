"""All checks over all recordings. Read-only: what is found is shown, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.inspect import clocks, presence, times, units, values
from maestro_ts.signals.inspect.finding import Finding, Inspection
from maestro_ts.signals.inspect.summary import summarise_modality
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Recording, Stream

__all__ = ["KINDS", "RECORDING_CHECKS", "STREAM_CHECKS", "inspect"]

# What a look at one stream may find; each is told recording, modality and stream.
STREAM_CHECKS: tuple[Callable[[str, Modality, Stream], Iterator[Finding]], ...] = (
    units.unit_changes,
    values.impossible,
    values.constant,
    values.stuck,
    values.saturated,
    values.missing,
    times.with_gaps,
    times.jittery,
    times.other_rate,
    times.conflicts,
    times.duplicates,
)

# What a look at one recording may find.
RECORDING_CHECKS: tuple[Callable[[Recording, Schema], Iterator[Finding]], ...] = (
    clocks.ends_apart,
)

# Every kind of finding in words, gravest first.
KINDS = {
    "absence-tells": "a sensor's absence tells the class: a model can cheat",
    "unit-change": "the scale changes inside a stream",
    "impossible": "values that the unit does not admit",
    "conflict": "different values at one time",
    "constant": "a channel has one value throughout",
    "stuck": "a value hangs",
    "saturation": "many samples at the limit of the range",
    "rate": "the time stamps tell another rate than stated",
    "begin-apart": "devices begin far from each other",
    "end-apart": "devices end far from each other",
    "missing": "many values are missing",
    "gap": "stretches of time without samples",
    "jitter": "steps between samples vary",
    "duplicate-time": "samples with equal time stamps",
    "one-subject": "a class that only one subject has",
    "class-absent": "a class that nobody has",
    "unbalanced": "a class that is rare",
    "no-label": "recordings without label",
}


def inspect(
    card: Card,
    reading: Reading,
    unused: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Inspection:
    """Look at what was read.

    Parameters
    ----------
    card : Card
    reading : Reading
    unused : sequence of str
        Files that were not read.
    progress : callable (done, total)
        Told after each recording.
    """
    recordings, schema = reading.recordings, card.schema
    found: list[Finding] = []
    for done, recording in enumerate(recordings, start=1):
        for name in sorted(recording.streams):
            stream = recording.streams[name]
            for check in STREAM_CHECKS:
                found += check(recording.source, schema[name], stream)
        for look in RECORDING_CHECKS:
            found += look(recording, schema)
        progress(done, len(recordings))
    stretches = presence.Stretches(recordings, schema)
    tested = presence.dependences(stretches, schema)
    balance = presence.classes(stretches, card.classes) if stretches.labels else []
    found += presence.about_absence(tested, len(stretches.labels))
    found += presence.about_labels(recordings, balance)
    order = {kind: i for i, kind in enumerate(KINDS)}
    return Inspection(
        name=card.name,
        title=card.title,
        clock=card.clock,
        recordings=len(recordings),
        subjects=len({r.subject for r in recordings}),
        hours=sum(r.duration_s for r in recordings) / 3600,
        modalities=tuple(summarise_modality(m, recordings) for m in schema),
        classes=tuple(balance),
        dependences=tuple(tested),
        guess=presence.guess(stretches) if tested else None,
        findings=tuple(sorted(found, key=lambda f: (order[f.kind], f.modality, f.where))),
        refused=tuple((r.where, r.why) for r in reading.refused),
        notes=tuple((r.source, note) for r in recordings for note in r.notes),
        unused=tuple(unused),
    )
