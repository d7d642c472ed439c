from __future__ import annotations

import json

import numpy as np

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Reading, Refusal
from maestro_ts.signals.datasets.summary import card_values, reading_values
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

CARD = Card(
    name="strides",
    title="Strides",
    task="2 kinds of walking",
    schema=Schema([Modality("acc", 3, 50.0, "g"), Modality("age", static=True), Modality("steps")]),
    classes=("flat", "stairs", "ramp"),
    windows=WindowSpec(4.0, 2.0),
    label_rule="",
    licence="",
    citation="",
    how_to_get="",
    subjects=3,
)


def walk(subject: str, source: str, names: tuple[str, ...], *labels: str) -> Recording:
    streams = {
        "acc": Stream(np.zeros((100, 3)), 50.0),
        "age": Stream.constant(30),
        "steps": Stream(np.ones(2), times=np.array([0.5, 1.0])),
    }
    intervals = tuple(Interval(k, k + 1, label) for k, label in enumerate(labels))
    return Recording({n: streams[n] for n in names}, subject, source, intervals)


def test_recordings_are_counted_by_modality_and_label() -> None:
    reading = Reading(
        [
            walk("s1", "a", ("acc", "age"), "flat", "stairs", "flat"),
            walk("s1", "b", ("acc",), "flat"),
            walk("s2", "c", ("acc", "steps")),
        ],
        [Refusal("d.csv:7", "2 columns, 3 expected.")],
    )
    assert reading_values(CARD, reading) == {
        "recordings": 3,
        "refused": [{"where": "d.csv:7", "why": "2 columns, 3 expected."}],
        "subjects": 2,
        "modalities": {"acc": 3, "age": 1, "steps": 1},
        "labels": {"flat": 2, "stairs": 1, "ramp": 0},
    }


def test_a_card_survives_json() -> None:
    values = json.loads(json.dumps(card_values(CARD)))
    assert Schema.from_list(values["schema"]) == CARD.schema
    assert WindowSpec(**values["windows"]) == CARD.windows
    assert values["classes"] == ["flat", "stairs", "ramp"]
    assert values["subjects"] == 3
    assert values["read_on_real_data"] is True
