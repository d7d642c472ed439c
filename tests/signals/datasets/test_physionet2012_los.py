"""PhysioNet 2012 with the length of stay as a number to be estimated."""

from __future__ import annotations

from pathlib import Path

import pytest
from layout_physionet2012 import outcomes, physionet_set
from layouts import write

from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.datasets.summary import reading_values
from maestro_ts.signals.recording import Interval

CARD = card("physionet2012-los")
DEATHS = {132539: 0, 132540: 1, 140501: 0}


def read_with(days: dict[int, str], root: Path) -> Reading:
    members = physionet_set() | {"Outcomes-a.txt": outcomes(DEATHS, days)}
    return read("physionet2012-los", write(members, root, "folder"))


def test_the_label_is_the_number_of_days(tmp_path: Path) -> None:
    reading = read_with({132539: "3", 132540: "154"}, tmp_path)
    assert not reading.refused
    labels = [r.labels for r in reading.recordings]
    assert labels == [(Interval(0, 172_800, text),) for text in ("3.0", "154.0", *["5.0"] * 3)]
    assert reading_values(CARD, reading)["numbers"] == {
        **{"labels": 5, "min": 3.0, "median": 5.0, "max": 154.0}
    }


def test_inputs_are_those_of_the_outcome_set(tmp_path: Path) -> None:
    path = write(physionet_set(), tmp_path, "folder")
    ours, others = read("physionet2012-los", path), read("physionet2012", path)
    assert [(r.source, list(r.streams)) for r in ours.recordings] == [
        (r.source, list(r.streams)) for r in others.recordings
    ]
    assert CARD.schema == card("physionet2012").schema
    assert CARD.owners_split == ("set-a/", "set-b/")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-1", "Length_of_stay is unknown (-1): no label."),
        ("0", "Length_of_stay is '0', days above 0 expected."),
        ("-3", "Length_of_stay is '-3', days above 0 expected."),
        ("long", "long"),
        ("", "''"),
        ("nan", "nan"),
    ],
)
def test_a_stay_without_a_length_is_left_out_by_name(tmp_path: Path, text: str, why: str) -> None:
    reading = read_with({132540: text}, tmp_path)
    assert [r.subject for r in reading.recordings] == ["132539", "140501", "142675", "142676"]
    (refused,) = reading.refused
    assert refused.where == "Outcomes-a.txt:3"
    assert why in refused.why


def test_the_card_says_what_is_estimated_and_what_is_left_out() -> None:
    assert CARD.target is not None
    assert CARD.target.title == "length of stay (days)"
    assert CARD.classes == ()
    told = " ".join(CARD.quirks)
    assert "Length_of_stay is unknown (-1) in 60 stays of set-a and 54 of set-b" in told
    assert "SAPS-I, SOFA, Length_of_stay" not in told
