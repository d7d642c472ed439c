"""Parts of batches; that two processes train as one is tested with the program itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from maestro_ts.contract.network import Network
from maestro_ts.errors import ConfigError
from maestro_ts.model.maestro import front_end, network
from maestro_ts.recipe import load_recipe
from maestro_ts.training.ranks import Ranks


@pytest.mark.parametrize(("windows", "size"), [(32, 2), (7, 3), (3, 3), (2, 3), (1, 4)])
def test_means_over_the_parts_make_the_mean_over_the_batch(windows: int, size: int) -> None:
    rng = np.random.default_rng(windows)
    values, weights = rng.normal(size=windows), rng.uniform(size=windows)
    total = 0.0
    for rank in range(size):
        part = Ranks(rank, size).part(windows)
        own, of = values[part.rows], weights[part.rows]
        assert len(own)
        total += (own * of).sum() / of.sum() * part.share(weights)
    assert total == pytest.approx((values * weights).sum() / weights.sum())


def test_a_part_that_weighs_nothing_counts_nothing() -> None:
    assert Ranks(1, 2).part(4).share([1.0, 1.0, 0.0, 0.0]) == 0.0


@pytest.mark.parametrize("weights", [[0.1, 0.2, 0.3], [0.0, 0.0, 0.0]])
def test_one_process_alone_takes_its_loss_as_it_is(weights: list[float]) -> None:
    assert Ranks().part(3).share(weights) == 1.0


def test_each_process_draws_for_itself_and_anew_every_epoch() -> None:
    drawn = {Ranks(rank, 2).own_seed(7, epoch) for rank in (0, 1) for epoch in (0, 1, 2)}
    assert len(drawn) == 6
    torch.Generator().manual_seed(max(drawn))  # it takes them


def test_what_several_processes_cannot_train_is_refused() -> None:
    network = Network()
    Ranks().check(network, 1, [0])
    with pytest.raises(ConfigError, match="without torchrun"):
        Ranks(0, 2).check(network, 32, [0])
    network.separable = True
    with pytest.raises(ConfigError, match="4 processes share batches of 3 windows"):
        Ranks(0, 4).check(network, 3, [0])


def test_the_default_recipe_may_be_trained_by_several_processes(mixed_windows) -> None:
    recipe = load_recipe("default")
    fitted = front_end(recipe)
    fitted.fit(mixed_windows(12))
    assert network(fitted, 3, recipe).separable


LEAVES = """
from pathlib import Path
from importlib import import_module
from maestro_ts.training.ranks import process_group

def threads():
    return {p.read_text().strip() for p in Path("/proc/self/task").glob("*/comm")}

with process_group("cpu"):
    import_module("torch._dynamo")  # as the first optimiser does
    assert "pt_gloo_runloop" in threads()
print(*sorted(t for t in threads() if "gloo" in t))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed by Linux")
def test_no_thread_of_the_group_outlives_it() -> None:
    """One that does can abort the process at its end."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    started = {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LEAVES],
        env={**os.environ, **started, **alone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
