"""Engines that read recordings side by side; Ray by a stand-in with the few calls that are used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from own_data import study
from ray_stand_in import Ray
from store_cases import contents

from maestro_ts.errors import ConfigError, DataError, FormatError, MissingExtraError, RunError
from maestro_ts.signals.store import prepare_dataset, prepare_folder
from maestro_ts.signals.store.engine import Processes, RayCluster, engine_of


def doubled(number: int) -> int:
    if number == 13:
        raise FormatError("no thirteen.", where="here")
    return 2 * number


@pytest.mark.parametrize(("jobs", "most"), [(None, 3), (2, 2)])
def test_results_come_in_order_and_few_tasks_are_under_way(ray, jobs, most):
    assert list(RayCluster(jobs).run(doubled, iter(range(9)))) == [*range(0, 18, 2)]
    assert ray.most == most
    assert ray.said == [("init", jobs), ("shutdown", None)]


def test_a_given_cluster_is_joined_and_one_that_is_there_is_left_running(ray, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert list(RayCluster(2).run(doubled, iter([1]))) == [2]
    assert ray.said == [("init", "as it is"), ("shutdown", None)]
    ray.running, ray.said = True, []
    assert list(RayCluster(2).run(doubled, iter([1]))) == [2]
    assert ray.said == []


def test_an_error_of_a_task_is_the_one_it_raised_and_the_rest_is_called_off(ray):
    with pytest.raises(FormatError, match=r"here: no thirteen\.") as caught:
        list(RayCluster(3).run(doubled, iter([1, 13, 2, 3, 4])))
    assert caught.value.where == "here"
    assert ray.said[1:] == [("cancel", None)] * 2 + [("shutdown", None)]
    ray.broken = True
    with pytest.raises(RunError, match=r"the Ray cluster failed: a node died .*--resume"):
        list(RayCluster(3).run(doubled, iter([1])))


def test_a_store_does_not_depend_on_the_engine(ray, tmp_path, monkeypatch):
    study(tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    prepare_folder(Path("study"), "one", shard_bytes=3000)
    prepare_folder(Path("study"), "ray", shard_bytes=3000, engine="ray", jobs=None)
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")
    assert ray.said == [("init", None), ("shutdown", None)]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "Ray cannot be started: too slow"),
        ("head:1", "head:1: the Ray cluster cannot be reach"),
    ],
)
def test_a_cluster_that_is_not_there_is_told_of(ray, monkeypatch, address, said):
    def failing(**settings):
        raise ConnectionError("too slow\nand more")

    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr(ray, "init", failing)
    with pytest.raises(RunError, match=said):
        list(RayCluster(1).run(doubled, iter([1])))


def test_a_cluster_that_does_not_see_the_files_is_told_of(ray, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    cluster = RayCluster(1).run(doubled, iter([1, 2]))
    assert next(cluster) == 2
    gone.rmdir()
    with pytest.raises(RunError, match=r"gone.*does not have this folder\. All its machines"):
        next(cluster)


def test_processes_are_made_only_where_several_are_wanted():
    assert engine_of("local", None) is None
    assert engine_of("local", 1) is None
    assert isinstance(engine_of("local", 2), Processes)
    with pytest.raises(ConfigError, match=r"no engine 'dask'\. Known: local, ray"):
        engine_of("dask", 1)


def test_without_ray_one_line_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    study(tmp_path / "study")
    with pytest.raises(MissingExtraError, match=r"'ray'.*pip install \"maestro-ts\[ray\]\""):
        prepare_folder(tmp_path / "study", tmp_path / "store", engine="ray")
    assert not (tmp_path / "store.partial").exists()
    with pytest.raises(DataError, match="no such file"):
        prepare_folder(tmp_path / "none", tmp_path / "store")


def test_a_set_that_is_read_as_a_whole_has_no_work_for_a_cluster(tmp_path: Path, ray: Ray) -> None:
    with pytest.raises(ConfigError, match="utd-mhad is read as a whole"):
        prepare_dataset("utd-mhad", tmp_path / "x.zip", tmp_path / "store", engine="ray")
    assert not ray.said
