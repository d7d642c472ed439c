"""What is told of the sampled selection is counted right, and its rival ranks exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from every_key import EveryKey
from every_key import network as exact_network
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end
from maestro_ts.model.attention import Attention
from maestro_ts.model.maestro import network as sampled_network
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from recovery import Tally, recovery
from selection_table import tables

CHANGES = {"symbols.tokens": 24, "budget.beta": 2.0, "training.batch_size": 8}
WIDTH, HEADS = 8, 2
SETTINGS: dict[str, Any] = {"beta": 2.0, "dense": False, "dropout": 0.0, "soft_width": 0.5}


def both_networks() -> tuple[FrontEnd, list[Network], Windows]:
    """The same weights with a sample of keys and with all."""
    rng = np.random.default_rng(0)
    sensors = [Modality("a", 2, 32.0), Modality("b", 1, 32.0)]
    arrays = {m.name: rng.normal(size=(8, 96, m.channels)) for m in sensors}
    arrays["b"][5:] = np.nan
    windows = Windows.from_arrays(arrays, sensors, duration_s=3.0)
    recipe = load_recipe("tiny").override(CHANGES)
    front_end = build_front_end(recipe).fit(windows)
    networks = []
    for build in (sampled_network, exact_network):
        torch.manual_seed(0)
        networks.append(build(front_end, 3, recipe).eval())
    return front_end, networks, windows


def test_the_rival_scores_every_key_once_in_rows_of_any_length() -> None:
    module = EveryKey(1, WIDTH, HEADS, longest=20, **SETTINGS)
    for length in (20, 9, 1):
        assert module._places(2, length, torch.device("cpu")).tolist() == [[*range(length)]] * 2


def test_both_selections_draw_alike_in_training() -> None:
    states = []
    for kind in (Attention, EveryKey):
        module = kind(1, WIDTH, HEADS, longest=20, **SETTINGS).train()
        module.generator = torch.Generator().manual_seed(0)
        module(torch.randn(3, 20, WIDTH), torch.full((3,), 4.0), [3])
        states.append(module.generator.get_state())
    assert torch.equal(*states)


def test_recovery_equals_the_loops() -> None:
    torch.manual_seed(1)
    length, sampled, v = 11, [1, 4, 6, 9], torch.tensor([2.4, 1.0, 11.0])
    module = Attention(1, WIDTH, HEADS, longest=length, **SETTINGS).eval()
    module.sampled = len(sampled)
    packed = torch.randn(3 * length, 3 * WIDTH, dtype=torch.float64)
    tally = Tally()
    tally.add(module, packed, v, length)
    shares = []
    for row, count in enumerate([3, 1]):  # in the third row all queries attend
        tokens = packed[row * length : (row + 1) * length]
        for head in range(HEADS):
            part = slice(head * WIDTH // HEADS, (head + 1) * WIDTH // HEADS)
            q, k = tokens[:, :WIDTH][:, part], tokens[:, WIDTH : 2 * WIDTH][:, part]
            best = []
            for keys in (range(length), sampled):
                score = []
                for i in range(length):
                    products = [float(q[i] @ k[j]) for j in keys]
                    score.append(max(products) - sum(products) / len(products))
                best.append({*sorted(range(length), key=lambda i: -score[i])[:count]})
            shares.append(len(best[0] & best[1]) / count)
    assert 0 < sum(shares) < len(shares)
    assert (tally.ranked, tally.unranked) == (4, 2)
    assert tally.recovered == pytest.approx(sum(shares))
    assert tally.chance == pytest.approx(2 * (3 + 1) / length)
    assert tally.keys == pytest.approx(4 * len(sampled) / length)


def test_every_layer_is_counted_and_an_exact_selection_finds_all() -> None:
    front_end, (sampled, exact), windows = both_networks()
    found = {}
    for name, network in (("sampled", sampled), ("exact", exact)):
        with recovery(network) as tallies, torch.no_grad():
            network(front_end(windows))
        found[name] = {layer: tally.means() for layer, tally in tallies.items()}
    assert set(found["sampled"]) == {"encoder 1", "fusion 1"}
    assert found["sampled"]["encoder 1"]["ranked"] == (8 + 5) * 2
    assert found["sampled"]["fusion 1"]["ranked"] == 8 * 2
    for layer, means in found["exact"].items():
        assert (means["recovered"], means["keys"]) == (1.0, 1.0)
        assert means["chance"] < found["sampled"][layer]["recovered"] < 1.0


def test_the_tables_pair_cells_of_the_same_folds(tmp_path: Path) -> None:
    def cell(selection: str, fold: int, predicted: list[int]) -> None:
        layer = {"recovered": 0.5, "chance": 0.25, "keys": 0.5, "ranked": 4, "unranked": 4}
        condition = {"rate": 0.0, "predicted": predicted, "swapped": [0, 1, 1, 1]}
        head = {"data": "set", "settings": "s", "selection": selection, "fold": fold, "seed": 0}
        body = {
            "layers": {"encoder 1": layer},
            "truth": [0, 0, 1, 1],
            "conditions": [condition | {"logits_apart": 0.1}],
        }
        (tmp_path / f"{selection}{fold}.json").write_text(json.dumps(head | body))

    cell("sampled", 0, [0, 0, 1, 1])
    cell("exact", 0, [0, 1, 1, 1])
    cell("sampled", 1, [1, 1, 0, 0])  # without its pair: not among the scores
    text = tables(tmp_path)
    assert "1 seeds, 1 folds" in text
    assert "| sampled, macro-F1 (accuracy) | 1.000 (1.000) |" in text
    assert "| sampled − exact, accuracy [least, most] | +0.250 [+0.250, +0.250] |" in text
    assert "| encoder 1 | 0.500 | 0.250 | 0.500 | 50.0% |" in text
    assert "50.00% of the predictions (at most 75.00%)" in text
