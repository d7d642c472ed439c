from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.source import is_own, parse_renames, read_source, read_unlabelled, renamed


def own(folder: Path) -> Path:
    """One recording of two modalities, with a label."""
    folder.mkdir()
    (folder / "S1.csv").write_text("a,b,label\n1,2,u\n3,4,u\n")
    (folder / "schema.yaml").write_text(
        "format: 1\nmodalities:\n"
        "  acc: {file: '{subject}.csv', columns: [a], rate_hz: 1}\n"
        "  eda: {file: '{subject}.csv', columns: [b], rate_hz: 1}\n"
        "labels: {from: column, modality: acc}\n"
    )
    return folder


def test_a_name_wins_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path / "watch")
    monkeypatch.chdir(tmp_path)
    assert not is_own("watch")
    assert is_own("./watch")
    assert read_source("./watch", None).card.name == "watch"


def test_a_source_that_is_neither(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Unknown data set 'umafal', and no.*'umafall'"):
        read_source("umafal", None)
    (tmp_path / "x.csv").touch()
    with pytest.raises(DataError, match=r"holds no schema.yaml.*maestro-ts init"):
        read_source(str(tmp_path), None)
    with pytest.raises(ConfigError, match=r"--data is given with the folder"):
        read_source(str(own(tmp_path / "a")), tmp_path)


def test_what_was_read_carries_its_layout(tmp_path: Path) -> None:
    source = read_source(str(own(tmp_path / "a")), None)
    assert source.layout is not None
    assert source.card.classes == ("u",)
    (tmp_path / "a" / "schema.yaml").unlink()
    again = read_unlabelled(tmp_path / "a", source.layout)
    assert again.reading.recordings[0].labels == ()
    with pytest.raises(DataError, match=r"holds no schema.yaml"):
        read_unlabelled(tmp_path / "a", None)


def test_modalities_are_renamed(tmp_path: Path) -> None:
    source = read_source(str(own(tmp_path / "a")), None)
    swapped = renamed(source, {"acc": "eda", "eda": "acc"})
    assert swapped.card.schema.names == ("acc", "eda")
    np.testing.assert_array_equal(swapped.reading.recordings[0].streams["eda"].values, [[1], [3]])
    assert renamed(source, {}) is source
    with pytest.raises(DataError, match=r"no modality 'ac'. Did you mean 'acc'"):
        renamed(source, {"ac": "x"})
    with pytest.raises(DataError, match=r"given twice: eda"):
        renamed(source, {"acc": "eda"})


@pytest.mark.parametrize("pairs", [["acc"], ["=acc"], ["acc="], ["a=b", "a=c"]])
def test_renames_that_make_no_sense(pairs: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"--map"):
        parse_renames(pairs)


def test_renames() -> None:
    assert parse_renames(["wrist_acc=acc", " b = c "]) == {"wrist_acc": "acc", "b": "c"}
