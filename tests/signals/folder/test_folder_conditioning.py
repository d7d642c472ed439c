"""Filters and lower rates that a schema asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from own_data import study, write_schema

from maestro_ts.errors import ConfigError
from maestro_ts.signals.conditioning import Conditioning
from maestro_ts.signals.cut import cut
from maestro_ts.signals.filters import Filter
from maestro_ts.signals.folder import parse_layout, read_folder
from maestro_ts.signals.folder.agreement import check_store_filters
from maestro_ts.signals.source import read_unlabelled
from maestro_ts.signals.store import append_folder, open_windows, prepare_folder

FILTER = {"high_pass_hz": 0.5, "low_pass_hz": 4.0, "order": 2}
WORK = Conditioning(Filter(0.5, 4.0, 2), 10.0)


def asked(folder: Path, name: str = "acc", **keys: Any) -> Path:
    """The study with keys of a modality changed; None takes one away."""
    tree = yaml.safe_load((folder / "schema.yaml").read_text())
    modality = tree["modalities"][name]
    modality |= keys
    tree["modalities"][name] = {k: v for k, v in modality.items() if v is not None}
    write_schema(folder, tree)
    return folder


def test_a_modality_is_filtered_and_has_the_lower_rate(tmp_path: Path) -> None:
    path = study(tmp_path / "study")
    plain = read_folder(path)
    found = read_folder(asked(path, filter=FILTER, downsample_hz=10))
    assert found.card.schema["acc"].rate_hz == 10
    assert found.card.schema["temp"].rate_hz == 4
    for before, after in zip(plain.reading.recordings, found.reading.recordings, strict=True):
        wanted, _ = WORK(before.streams["acc"])
        np.testing.assert_array_equal(after.streams["acc"].values, wanted.values)
        np.testing.assert_array_equal(after.streams["acc"].times, wanted.times)
        assert after.streams["temp"].values.tobytes() == before.streams["temp"].values.tobytes()
        assert (after.labels, after.duration_s) == (before.labels, before.duration_s)
    windows = cut(found.reading.recordings, found.card.schema, found.card.windows)
    assert set(windows.samples["acc"].lengths.tolist()) == {40}
    raw = read_folder(path, raw=True)
    assert raw.card.schema == plain.card.schema
    assert parse_layout(found.layout.to_tree(), "x") == found.layout


def test_labels_beside_the_samples_keep_their_times(tmp_path: Path) -> None:
    path = study(tmp_path / "study")
    for file in path.rglob("acc.csv"):
        head, *rows = file.read_text().splitlines()
        rows = [f"{row},{'rest' if i < 101 else 'walk'}" for i, row in enumerate(rows)]
        file.write_text("\n".join([f"{head},label", *rows, ""]))
    tree = yaml.safe_load((path / "schema.yaml").read_text())
    tree["labels"] = {"from": "column", "modality": "acc"}
    write_schema(path, tree)
    found = read_folder(asked(path, downsample_hz=5))
    intervals = found.reading.recordings[0].labels
    assert [(i.start_s, i.end_s) for i in intervals] == [(0, 5.05), (5.05, 12)]


def test_a_recording_too_short_to_be_filtered_says_so(tmp_path: Path) -> None:
    path = study(tmp_path / "study")
    file = path / "S1" / "S1-0" / "acc.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:11]) + "\n")
    found = read_folder(asked(path, filter=FILTER))
    note = "acc: 30 values in runs too short to be filtered are missing."
    assert note in found.reading.recordings[0].notes
    assert np.isnan(found.reading.recordings[0].streams["acc"].values).all()


def test_times_that_tell_another_rate_refuse_the_recording(tmp_path: Path) -> None:
    path = study(tmp_path / "study")
    file = path / "S1" / "S1-0" / "acc.csv"
    head, *rows = file.read_text().splitlines()
    rows = [f"{int(row.split(',')[0]) * 2},{row.split(',', 1)[1]}" for row in rows]
    file.write_text("\n".join([head, *rows, ""]))
    found = read_folder(asked(path, filter=FILTER))
    (refusal,) = found.reading.refused
    assert refusal.where == "S1/S1-0/acc.csv"
    assert "modality 'acc': the steps of its times vary or are not those of 20 Hz" in refusal.why


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"filter": {}}, r":\d+: modalities.acc.filter: a filter needs high_pass_hz"),
        ({"filter": {"low_hz": 1}}, r"'modalities.acc.filter.low_hz'. Did you mean 'low_pass_hz'"),
        ({"filter": {"low_pass_hz": 10}}, r"modalities.acc: a cut-off of 10 Hz is not below half"),
        ({"downsample_hz": 21}, r"modalities.acc: downsample_hz 21 is above the rate of 20 Hz"),
        ({"downsample_hz": 0}, r":\d+: modalities.acc.downsample_hz: .*got 0"),
        ({"rate_hz": None, "downsample_hz": 5}, r"modalities.acc: an irregular modality can be"),
        (
            {"rate_hz": None, "time": None, "static": True, "filter": FILTER},
            r"modalities.acc: an irregular modality can be",
        ),
    ],
)
def test_keys_that_do_not_fit_are_refused(keys: dict, message: str, tmp_path: Path) -> None:
    path = asked(study(tmp_path / "study"), **keys)
    with pytest.raises(ConfigError, match=message):
        read_folder(path)


def test_a_store_holds_the_conditioned_samples(tmp_path: Path) -> None:
    path = asked(study(tmp_path / "study"), filter=FILTER, downsample_hz=10)
    manifest = prepare_folder(path, tmp_path / "store", jobs=2)
    found = read_folder(path)
    wanted = cut(found.reading.recordings, found.card.schema, found.card.windows)
    stored = open_windows(tmp_path / "store")
    assert stored.samples["acc"].read().tobytes() == wanted.samples["acc"].read().tobytes()
    assert manifest.schema["acc"].rate_hz == 10
    asked(path, filter=None)
    with pytest.raises(OSError, match="not made by the schema"):
        append_folder(path, tmp_path / "store")


# ------------------------------------------------------------- as the model's data


def conditioned_run(tmp_path: Path) -> dict[str, Any]:
    path = asked(study(tmp_path / "run"), filter=FILTER, downsample_hz=10)
    return read_folder(path).layout.to_tree()


def test_an_input_is_conditioned_as_the_training_data(tmp_path: Path) -> None:
    run = conditioned_run(tmp_path)
    wanted = read_folder(tmp_path / "run").reading.recordings
    plain = study(tmp_path / "plain")
    same = asked(study(tmp_path / "same"), filter=FILTER, downsample_hz=10)
    bare = study(tmp_path / "bare")
    (bare / "schema.yaml").unlink()
    for path in (plain, same, bare):
        found = read_unlabelled(path, run)
        assert found.schema["acc"].rate_hz == 10
        for a, b in zip(found.reading.recordings, wanted, strict=True):
            assert a.streams["acc"].values.tobytes() == b.streams["acc"].values.tobytes()
    text = (plain / "schema.yaml").read_text()
    (plain / "schema.yaml").write_text(text.replace("acc:", "wrist:"))
    found = read_unlabelled(plain, run, names={"wrist": "acc"})
    assert found.schema["wrist"].rate_hz == 10
    assert read_unlabelled(plain, run).schema["wrist"].rate_hz == 20


def test_an_input_of_the_models_rate_is_only_filtered(tmp_path: Path) -> None:
    run = conditioned_run(tmp_path)
    path = asked(study(tmp_path / "slow"), time=None, rate_hz=10)
    found = read_unlabelled(path, run)
    acc = found.reading.recordings[0].streams["acc"]
    assert (acc.rate_hz, len(acc.values)) == (10, 240)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"filter": FILTER | {"order": 4}},
            r"'acc' is filtered by \{high_pass_hz: 0.5, .* order: 4\}, the run's was .*order: 2",
        ),
        ({"rate_hz": None}, r"'acc': an irregular modality can be neither .* The run does it"),
        ({"time": None, "rate_hz": 5}, r"'acc': a cut-off of 4 Hz is not below half the rate of 5"),
    ],
)
def test_an_input_that_cannot_be_conditioned_alike_is_refused(keys, message, tmp_path) -> None:
    run = conditioned_run(tmp_path)
    path = asked(study(tmp_path / "new"), **keys)
    with pytest.raises(ConfigError, match=message):
        read_unlabelled(path, run)


def test_an_input_that_is_filtered_where_the_training_data_was_not_is_refused(tmp_path) -> None:
    run = read_folder(study(tmp_path / "run")).layout.to_tree()
    path = asked(study(tmp_path / "new"), filter=FILTER)
    with pytest.raises(ConfigError, match=r"'acc' is filtered by .*, the run's was not filtered"):
        read_unlabelled(path, run)


def test_a_store_that_was_filtered_otherwise_is_refused(tmp_path: Path) -> None:
    run = conditioned_run(tmp_path)
    plain = read_folder(study(tmp_path / "new")).layout.to_tree()
    check_store_filters(run, run, "store")
    check_store_filters(None, run, "store")
    with pytest.raises(ConfigError, match=r"store: modality 'acc' is not filtered, the run's was"):
        check_store_filters(plain, run, "store")
    with pytest.raises(ConfigError, match=r"the run's was not filtered"):
        check_store_filters(run, plain, "store")
