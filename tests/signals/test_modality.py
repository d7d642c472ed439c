from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.errors import DataError
from maestro_ts.signals.modality import Modality, Schema


@given(st.permutations(["eda", "acc", "bvp", "temp"]))
def test_the_order_is_by_name_whatever_order_they_arrive_in(names):
    schema = Schema(Modality(n) for n in names)
    assert schema.names == ("acc", "bvp", "eda", "temp")
    assert [m.name for m in schema] == list(schema.names)
    assert [schema.index(n) for n in schema.names] == [0, 1, 2, 3]


def test_names_are_unique():
    with pytest.raises(DataError, match="given twice: acc"):
        Schema([Modality("acc"), Modality("eda"), Modality("acc", channels=3)])


def test_a_schema_needs_a_modality():
    with pytest.raises(DataError, match="at least one"):
        Schema([])


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_name_is_a_text(name):
    with pytest.raises(DataError, match="needs a name"):
        Modality(name)


@pytest.mark.parametrize("channels", [0, -1, 1.5])
def test_channels_are_a_whole_number_from_one(channels):
    with pytest.raises(DataError, match=r"'acc'.*channels"):
        Modality("acc", channels=channels)


def test_whole_channels_become_an_integer():
    assert isinstance(Modality("acc", channels=3.0).channels, int)


@pytest.mark.parametrize("rate", [0.0, -4.0, float("nan"), float("inf")])
def test_a_rate_is_positive_and_finite(rate):
    with pytest.raises(DataError, match=r"'acc'.*rate_hz.*None for an irregular"):
        Modality("acc", rate_hz=rate)


def test_an_unknown_name_proposes_its_neighbours():
    schema = Schema([Modality("wrist_acc"), Modality("chest_ecg")])
    with pytest.raises(DataError, match=r"'wrist_ac'.*Did you mean 'wrist_acc'\?"):
        schema["wrist_ac"]
    with pytest.raises(DataError, match="Known: chest_ecg, wrist_acc"):
        schema.index("qqq")


def test_a_modality_without_device_is_its_own():
    schema = Schema(
        [Modality("acc", device="wrist"), Modality("eda", device="wrist"), Modality("ecg")]
    )
    assert schema["ecg"].device == "ecg"
    assert schema.devices == ("ecg", "wrist")


def test_equal_schemas_are_equal_and_hash_alike():
    a, b = Modality("a", 3, 32.0), Modality("b")
    assert Schema([a, b]) == Schema([b, a])
    assert hash(Schema([a, b])) == hash(Schema([b, a]))
    assert Schema([a]) != Schema([a, b])
    assert Schema([a, b]) != Schema([Modality("a", 3, 64.0), b])
    assert "a" in Schema([a])
    assert "b" not in Schema([a])


def test_a_schema_survives_json():
    schema = Schema(
        [
            Modality("acc", 3, 32.0, unit="g", device="wrist"),
            Modality("age", unit="a", static=True),
            Modality("steps"),
        ]
    )
    assert Schema.from_list(json.loads(json.dumps(schema.to_list()))) == schema


def test_a_modality_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Modality("acc").rate_hz = 5.0
