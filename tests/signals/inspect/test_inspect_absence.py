"""Whether absence tells the class, and the balance of labels."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from test_inspect_streams import card_of

from maestro_ts.signals.datasets.card import Reading, Refusal
from maestro_ts.signals.inspect import Inspection, inspect
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Interval, Recording, Stream

ACC, EDA = Modality("acc", 1, 4.0), Modality("eda", 1, 4.0)


def signal(seed: int, n: int = 40) -> Stream:
    return Stream(np.random.default_rng(seed).normal(size=(n, 1)).astype(np.float32), 4.0)


def seen(
    absent: list[list[int]], of: int = 20, classes: tuple[str, ...] = ("fall", "walk")
) -> Inspection:
    """For each class how many of its recordings lack eda, per subject of two."""
    recordings = []
    for label, counts in zip(classes, absent, strict=True):
        for subject, missing in enumerate(counts):
            for i in range(of):
                streams = {"acc": signal(i)} | ({} if i < missing else {"eda": signal(i + 99)})
                recordings.append(
                    Recording(
                        streams,
                        subject=f"s{subject}",
                        source=f"{label}-{subject}-{i}",
                        labels=(Interval(0, 10, label),),
                    )
                )
    return inspect(card_of(ACC, EDA, classes=classes), Reading(recordings, [Refusal("x:1", "bad")]))


def test_absence_that_tells_the_class_is_found_with_its_counts() -> None:
    found = seen([[15, 15], [2, 3]])
    (test,) = found.dependences
    assert test.modality == "eda"
    assert test.absent == {"fall": 30, "walk": 5}
    assert test.present == {"fall": 10, "walk": 35}
    expected = chi2_contingency([[10, 35], [30, 5]], correction=False)
    assert test.chi_square == pytest.approx(expected.statistic)
    assert test.p == pytest.approx(expected.pvalue)
    assert test.cramers_v == pytest.approx(np.sqrt(expected.statistic / 80))
    assert found.guess == (0.5, (35 + 30) / 80)
    (finding,) = [f for f in found.findings if f.kind == "absence-tells"]
    assert finding.modality == "eda"
    assert "absent in 75% of fall, 12% of walk" in finding.what
    assert finding.share == pytest.approx(35 / 80)
    assert found.findings[0] == finding


def test_absence_alike_in_all_classes_is_tested_and_not_blamed() -> None:
    found = seen([[8, 8], [7, 9]])
    (test,) = found.dependences
    assert test.cramers_v < 0.01
    assert not [f for f in found.findings if f.kind == "absence-tells"]


def test_nothing_absent_nothing_to_test() -> None:
    found = seen([[0, 0], [0, 0]])
    assert found.dependences == ()
    assert found.guess is None


def test_a_sensor_that_is_silent_in_a_stretch_is_absent_there() -> None:
    values = np.ones((40, 1), np.float32)
    values[:20] = np.nan
    recording = Recording(
        {"acc": signal(0), "eda": Stream(values, 4.0)},
        subject="s",
        source="r",
        labels=(Interval(0, 5, "fall"), Interval(5, 10, "walk")),
    )
    (test,) = inspect(card_of(ACC, EDA), Reading([recording])).dependences
    assert test.absent == {"fall": 1, "walk": 0}


def test_balance_of_labels_and_subjects() -> None:
    found = seen([[0, 0], [0, 0]])
    assert [(c.label, c.stretches, c.seconds, c.subjects) for c in found.classes] == [
        ("fall", 40, 400, 2),
        ("walk", 40, 400, 2),
    ]
    assert not found.findings


def test_classes_that_are_rare_lone_or_absent_and_recordings_without_label() -> None:
    def made(label: str, subject: str, i: int) -> Recording:
        labels = (Interval(0, 10, label),) if label else ()
        return Recording({"acc": signal(i)}, subject=subject, source=f"{i}", labels=labels)

    rows = [("walk", f"s{i % 3}") for i in range(33)]
    rows += [("fall", "s0"), ("fall", "s1"), ("jump", "s0"), ("", "s0")]
    recordings = [made(label, subject, i) for i, (label, subject) in enumerate(rows)]
    card = card_of(ACC, classes=("walk", "fall", "jump", "swim"))
    found = inspect(card, Reading(recordings)).findings
    assert [(f.kind, f.what) for f in found] == [
        ("one-subject", "only one subject has the label 'jump': it cannot be tested on another"),
        ("class-absent", "no recording has the label 'swim'"),
        ("unbalanced", "'fall' has 2 stretches, 'walk' 33"),
        ("no-label", "1 recordings have no label, the first is 36"),
    ]


def test_all_of_it_is_plain_json() -> None:
    tree = json.loads(json.dumps(asdict(seen([[15, 15], [2, 3]])), allow_nan=False))
    assert tree["refused"] == [["x:1", "bad"]]
    assert tree["dependences"][0]["absent"]["fall"] == 30
