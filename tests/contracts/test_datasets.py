"""Every registered data set passes every check on small files in its owners' layout."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from layout_dsads import dsads_set
from layout_maestro_zenodo import zenodo_daliahar_set, zenodo_set
from layout_mimic3 import mimic3_content
from layout_physionet2012 import physionet_set
from layout_ppg_dalia import dalia_pickles
from layout_utd_mhad import utd_set
from layout_wesad import wesad_pickles
from layouts import umafall_set, watch_content, wesad_hr_set, wesad_set, write

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets import DATASETS, card
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.testing import DATASET_CHECKS, check_dataset


def _watch(root: Path) -> Path:
    path = root / "watch_dataset.npy"
    np.save(path, np.array(watch_content(), dtype=object), allow_pickle=True)
    return path


def _zip(members: Callable[[], dict[str, bytes]]) -> Callable[[Path], Path]:
    return lambda root: write(members(), root, "zip")


SUITE: dict[str, Callable[[Path], Path | None]] = {
    "dalia-har": _zip(dalia_pickles),
    "dalia-hr": _zip(dalia_pickles),
    "dsads": _zip(dsads_set),
    "dsads-15": _zip(dsads_set),
    "maestro-zenodo": _zip(zenodo_set),
    "maestro-zenodo-daliahar": _zip(zenodo_daliahar_set),
    "mimic3-multibench": _zip(lambda: {"im.pk": pickle.dumps(mimic3_content())}),
    "physionet2012": _zip(physionet_set),
    "physionet2012-los": _zip(physionet_set),
    "simulated": lambda root: None,
    "umafall": _zip(umafall_set),
    "utd-mhad": _zip(utd_set),
    "watch": _watch,
    "wesad": _zip(wesad_pickles),
    "wesad-e4": _zip(wesad_set),
    "wesad-e4-hr": _zip(wesad_hr_set),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path | None]:
    made: dict[str, Path | None] = {}

    def get(name: str) -> Path | None:
        if name not in made:
            made[name] = SUITE[name](tmp_path_factory.mktemp("set"))
        return made[name]

    return get


@pytest.mark.parametrize("check", DATASET_CHECKS)
@pytest.mark.parametrize("name", SUITE)
def test_dataset(name: str, check: str, files: Callable[[str], Path | None]) -> None:
    if name == "simulated" and check != "card" and find_spec("neurokit2") is None:
        pytest.skip("NeuroKit2 is not installed")
    check_dataset(name, files(name), checks=[check])


def test_every_registered_data_set_is_tested() -> None:
    assert set(SUITE) == set(DATASETS)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="umafall"):
        check_dataset("umafal", None)
    with pytest.raises(ConfigError, match="labels"):
        check_dataset("umafall", None, checks=["label"])


# ------------------------------------------------------------- broken readers


def _good() -> Recording:
    stream = Stream(np.zeros((20, 1), np.float32), 10.0)
    return Recording({"a": stream}, "s1", "one", (Interval(0.0, 2.0, "x"),), 2.0)


def _broken(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Reading], **about: object) -> None:
    module = ModuleType("broken_set")
    module.CARD = replace(  # type: ignore[attr-defined]
        card("watch"),
        name="broken",
        schema=Schema([Modality("a", 1, 10.0)]),
        classes=("x",),
        windows=WindowSpec(),
        **about,
    )

    def read(path: Path | None, progress: Callable[[int, int], None]) -> Reading:
        if path is not None and not (path.is_file() and path.stat().st_size > 5):
            raise DataError("nothing there.")
        progress(1, 1)
        return make()

    module.read = read  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "broken_set", module)
    monkeypatch.setitem(DATASETS, "broken", "broken_set")


def test_a_whole_reader_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch, lambda: Reading([_good()]))
    check_dataset("broken", None)


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("recordings", {"subject": ""}),
        ("recordings", {"clock": "stretched"}),
        ("streams", {"streams": {"b": Stream(np.zeros((4, 1), np.float32), 10.0)}}),
        ("streams", {"streams": {"a": Stream(np.zeros((4, 2), np.float32), 10.0)}}),
        ("streams", {"streams": {"a": Stream(np.zeros((4, 1), np.float32), 5.0)}}),
        ("streams", {"streams": {"a": Stream(np.zeros((0, 1), np.float32), 10.0)}}),
        ("streams", {"streams": {"a": Stream(np.zeros((4, 1), np.float32), 10.0, start_s=9.0)}}),
        ("labels", {"labels": (Interval(0.0, 2.0, "y"),)}),
        ("labels", {"labels": (Interval(0.0, 3.0, "x"),)}),
        ("labels", {"labels": ()}),
        ("windows", {"streams": {}}),
    ],
)
def test_a_broken_recording_is_found(
    monkeypatch: pytest.MonkeyPatch, check: str, change: dict[str, object]
) -> None:
    _broken(monkeypatch, lambda: Reading([replace(_good(), **change)]))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=check):
        check_dataset("broken", None, checks=[check])


def test_a_source_that_occurs_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch, lambda: Reading([_good(), _good()]))
    with pytest.raises(AssertionError, match="several recordings come from one"):
        check_dataset("broken", None, checks=["recordings"])


def test_a_reader_that_draws_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)

    def drawn() -> Reading:
        values = rng.normal(size=(20, 1)).astype(np.float32)
        return Reading([replace(_good(), streams={"a": Stream(values, 10.0)})])

    _broken(monkeypatch, drawn)
    with pytest.raises(AssertionError, match="other values"):
        check_dataset("broken", None, checks=["repeatable"])


def test_a_card_that_says_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch, lambda: Reading([_good()]), licence=" ")
    with pytest.raises(AssertionError, match="licence"):
        check_dataset("broken", None, checks=["card"])


def test_a_reader_that_takes_half_an_archive_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(bytes(100))
    _broken(monkeypatch, lambda: Reading([_good()]))
    with pytest.raises(AssertionError, match="without a word"):
        check_dataset("broken", path, checks=["damage"])
