"""Timings count only what they say: one side works, the others are stopped."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sides import Ours, Side, TheirFormulation, presence, windows
from speed import compared, rows
from turns import Turns, ratio


@dataclass(frozen=True)
class Written:
    """A side that writes who worked and when."""

    name: str
    log: Path
    threads: int = 1

    def command(self) -> list[str]:
        script = (
            "import sys, time, threading\n"
            "def beat():\n"
            f"    while True: open({str(self.log)!r}, 'a').write({self.name!r}); time.sleep(0.01)\n"
            "threading.Thread(target=beat, daemon=True).start()\n"
            "print('ready', flush=True)\n"
            "for number, _ in enumerate(sys.stdin):\n"
            "    time.sleep(0.1)\n"
            "    print(number, flush=True)\n"
        )
        return [sys.executable, "-c", script]


def test_sides_take_turns_and_first_rounds_do_not_count(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Turns({name: Written(name, log) for name in "ab"}) as turns:  # type: ignore[dict-item]
        log.write_text("")
        found = turns.rounds("go", 2, warm=1)
    assert {name: values.tolist() for name, values in found.items()} == {"a": [1, 2], "b": [1, 2]}
    worked = log.read_text()
    changes = sum(x != y for x, y in pairwise(worked))
    assert len(worked) > 20
    assert changes == 5  # a b a b a b, never both at once


def test_a_side_that_ends_is_told(tmp_path: Path) -> None:
    class Broken(Written):
        def command(self) -> list[str]:
            return [sys.executable, "-c", "pass"]

    with pytest.raises(SystemExit, match="a: its process ended"):
        Turns({"a": Broken("a", tmp_path)})  # type: ignore[dict-item]


def test_a_ratio_is_of_medians_and_its_spread_of_the_rounds() -> None:
    mine, theirs = np.array([1.0, 2.0, 4.0]), np.array([4.0, 4.0, 4.0])
    assert ratio(mine, theirs) == (2.0, (1.5, 3.0))
    row = compared(mine, theirs, "theirs")
    assert (row["ratio"], row["spread"], row["reference_value"]) == (2.0, [1.5, 3.0], 4.0)


@pytest.mark.parametrize("absent", [0, 5, 9])
def test_patterns_are_mixed(absent: int) -> None:
    left = 10 - absent
    keep = presence(Side(absent=absent), 64, np.random.default_rng(0))
    assert (keep.sum(axis=1) == left).all()
    assert (keep.mean(axis=0) > 0).all()
    given = windows(Side("paper", batch=8, absent=absent))
    assert (given.present.sum(axis=1) == left).all()


@pytest.mark.parametrize(("modalities", "tokens"), [(10, 128), (12, 32), (1, 64)])
def test_both_sides_have_the_shape(modalities: int, tokens: int) -> None:
    wesad = (3, 1, 1, 1, 1, 1, 3, 1, 1, 1)
    wanted = [(tokens, c) for c in (wesad + wesad)[:modalities]]
    side = Side("paper", {"model.absent": "token"}, 2, tokens, modalities)
    ours, theirs = Ours(side), TheirFormulation(side)
    assert ours.network.train()(ours.batch).logits.shape == theirs.logits().shape == (2, 3)
    assert [ours.batch.inputs[f"m{i}"].shape[1:3] for i in range(modalities)] == wanted
    assert [tuple(x.shape[1:]) for x in theirs.numbers] == wanted


def test_absent_modalities_are_absent_on_both_sides() -> None:
    side = Side("paper", {"model.absent": "token"}, 2, 32, modalities=4, absent=3)
    assert Ours(side).batch.present.sum(dim=1).tolist() == [1, 1]
    assert TheirFormulation(side).present.sum() == 1


def test_every_row_of_the_table_has_a_name() -> None:
    assert len(rows(2, 1)) == 24
