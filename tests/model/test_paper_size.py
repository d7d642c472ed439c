"""The recipe ``paper`` at the published WESAD shape: parameters and operations, line by line.

Published: 1,387,239 parameters and 95.97 million multiply-accumulates a window (10 modalities,
14 channels, 128 tokens each, 3 classes). What differs is what we changed, and nothing else.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.evaluation.cost import count_macs, count_parameters
from maestro_ts.model.maestro import Maestro
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

CHEST = {"acc": 3, "ecg": 1, "emg": 1, "resp": 1, "eda": 1, "temp": 1}
WRIST = {"acc": (3, 32.0), "bvp": (1, 64.0), "eda": (1, 4.0), "temp": (1, 4.0)}
SCHEMA = [
    *(Modality(f"chest_{name}", channels, 700.0) for name, channels in CHEST.items()),
    *(Modality(f"wrist_{name}", channels, rate) for name, (channels, rate) in WRIST.items()),
]
M, CHANNELS, D, K = 10, 14, 64, 3
SECONDS = 8.0


@pytest.fixture(scope="module")
def model() -> tuple[Maestro, Batch]:
    rng = np.random.default_rng(0)
    arrays = {
        m.name: rng.normal(size=(1, round((m.rate_hz or 0) * SECONDS), m.channels)) for m in SCHEMA
    }
    windows = Windows.from_arrays(arrays, SCHEMA, duration_s=SECONDS)
    recipe = load_recipe("paper")
    front_end = build_front_end(recipe).fit(windows)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network(front_end, K, recipe)
    assert isinstance(network, Maestro)
    return network.eval(), front_end(windows)


def test_every_stream_has_128_tokens(model: tuple[Maestro, Batch]) -> None:
    network, batch = model
    assert len(network.shapes) == M
    assert sum(s.channels for s in network.shapes) == CHANNELS
    assert {s.length for s in network.shapes} == {128}
    assert {s.encoded for s in network.shapes} == {32}
    assert bool(batch.present.all())


# --------------------------------------------------------------- parameters

# part: (published, ours, why)
PARAMETERS = {
    "input projections": (1_536, 2_432, "+ a missing vector per channel, 14 × 64"),
    "modality table": (640, 640, ""),
    "position table": (8_192, 2_048, "sized to the encoder's output, 32 × 64 for 128 × 64"),
    "gate": (220, 860, "+ utility, 10 × 64"),
    "encoder layers": (20 * 62_336, 20 * 62_336, ""),
    "fusion layers": (2 * 62_788, 2 * 62_788, ""),
    "classifier": (4_355, 4_355, ""),
}
PREFIXES = {
    "input projections": ("embeddings.",),
    "modality table": ("modality",),
    "position table": ("position",),
    "gate": ("budget.",),
    "encoder layers": ("encoders.",),
    "fusion layers": ("fusion.",),
    "classifier": ("head.",),
}


def test_published_parameters_add_up() -> None:
    assert sum(published for published, _, _ in PARAMETERS.values()) == 1_387_239


@pytest.mark.parametrize("part", PARAMETERS)
def test_parameters_of_a_part(part: str, model: tuple[Maestro, Batch]) -> None:
    published, ours, why = PARAMETERS[part]
    named = model[0].named_parameters()
    assert sum(p.numel() for n, p in named if n.startswith(PREFIXES[part])) == ours
    assert (published == ours) == (why == ""), "a difference has a reason, and only a difference"


def test_parameters_add_up(model: tuple[Maestro, Batch]) -> None:
    total = sum(ours for _, ours, _ in PARAMETERS.values())
    assert count_parameters(model[0]) == total == 1_382_631


# --------------------------------------------------------------- operations


def attention(length: int, keys: float, queries: float) -> float:
    """Scores on sampled keys, and the selected queries' products with all keys and values."""
    return length * keys * D + 2 * queries * length * D


def operations(budget: float) -> dict[str, tuple[float, float, str]]:
    """Part → (published, ours, why), multiply-accumulates of one window."""
    v = {n: math.ceil(budget * math.log(n)) for n in (128, 64)}
    published = {n: 3 * math.ceil(math.log(n)) for n in (128, 64)}  # 15 and 15
    fused = 5 * math.ceil(math.log(320))  # 30, and 30 at 160 tokens
    keys = {n: 5 * math.ceil(math.log(n)) + 1 for n in (128, 64, 320)}  # and their mean
    projections = M * 4 * (128 + 64) * D * D
    distil = M * 3 * (64 + 32) * D * D
    feed = M * 8 * (64 + 32) * D * D
    return {
        "input projections": (
            128 * CHANNELS * D,
            128 * 2 * CHANNELS * D,
            "missing indicator beside each symbol",
        ),
        "gate": (0, 2 * M * M, "not in the published count"),
        "encoders: projections": (projections, projections, ""),
        "encoders: attention at 128": (
            M * attention(128, published[128], published[128]),
            M * attention(128, keys[128], v[128]),
            "25 keys and their mean for 15; ⌈u ln 128⌉ queries for 3 ⌈ln 128⌉",
        ),
        "encoders: attention at 64": (
            M * attention(64, published[64], published[64]),
            M * attention(64, keys[64], v[64]),
            "25 keys and their mean for 15; ⌈u ln 64⌉ queries for 3 ⌈ln 64⌉",
        ),
        "encoders: convolution": (distil, distil, ""),
        "encoders: feed-forward": (feed, feed, ""),
        "fusion: projections": (4 * (320 + 160) * D * D, 4 * (320 + 160) * D * D, ""),
        "fusion: attention": (
            attention(320, fused, fused) + attention(160, fused, fused),
            attention(320, keys[320], fused) + attention(160, keys[320], fused),
            "the mean key's product",
        ),
        "fusion: convolution": (3 * (160 + 80) * D * D, 3 * (160 + 80) * D * D, ""),
        "fusion: experts": (
            (2 * D * D + 4 * D) * (160 + 80),
            (2 * D * D + 4 * D) * (160 + 80),
            "",
        ),
        "classifier": (D * D + D * K, D * D + D * K, ""),
    }


def test_published_operations_add_up() -> None:
    total = sum(published for published, _, _ in operations(2.5).values())
    assert total / 1e6 == pytest.approx(95.97, abs=0.01)


def test_operations_are_those_of_the_account(model: tuple[Maestro, Batch]) -> None:
    network, batch = model
    account = operations(2.5)
    for part, (published, ours, why) in account.items():
        assert (published == ours) == (why == ""), f"{part}: a difference has a reason"
    total = sum(ours for _, ours, _ in account.values())
    with torch.no_grad():
        budgets = network(batch).budgets
    assert torch.allclose(budgets, torch.full_like(budgets, 2.5), atol=0.06)  # as at the start
    assert count_macs(network, batch) == total
    assert total / 1e6 == pytest.approx(95.97, rel=0.01)
