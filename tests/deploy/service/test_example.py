"""The example of a run: pieces of one test subject, in the form that predict takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maestro_ts.deploy.service.bodies import JSON, read_body
from maestro_ts.deploy.service.example import example_of
from maestro_ts.signals.datasets import card, watch


def folder_of(tmp_path: Path, **stored: object) -> Path:
    (tmp_path / "schema.json").write_text(json.dumps(stored))
    return tmp_path


def test_one_piece_of_each_class_of_a_test_subject(tmp_path: Path) -> None:
    pytest.importorskip("seglearn")
    inputs = card("watch").schema
    folder = folder_of(tmp_path, dataset="watch", subjects_test=["Subject_03", "Subject_09"])
    found = example_of(folder, inputs)
    assert found is not None
    assert "Subject_03" in found.title
    assert {label.label for label in found.labels} == set(watch.CARD.classes)
    body = json.dumps(found.body, allow_nan=False).encode()
    (recording,) = read_body(body, JSON, inputs).recordings
    assert recording.duration_s == pytest.approx(found.labels[-1].end_s)
    ends = [label.end_s for label in found.labels]
    assert [label.start_s for label in found.labels] == [0.0, *ends[:-1]]
    original = next(
        r
        for r in watch.read().recordings
        if r.subject == "Subject_03" and r.labels[0].label == found.labels[1].label
    )
    first = round(found.labels[1].start_s * 50)
    found_values = recording.streams["acc"].values[first : first + 100]
    np.testing.assert_allclose(found_values, original.streams["acc"].values[:100], rtol=1e-6)


@pytest.mark.parametrize(
    "stored",
    [{}, {"dataset": "watch"}, {"dataset": "umafall", "subjects_test": ["Subject_01"]}],
)
def test_no_example_without_data_at_hand(tmp_path: Path, stored: dict[str, object]) -> None:
    assert example_of(folder_of(tmp_path, **stored), card("watch").schema) is None
