"""Networks have exactly as many parameters as their descriptions add up to, on four data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Modality, Schema

# Channels of each modality, steps, classes.
SETS = {
    "wesad": ((3, 1, 1, 1, 1, 1, 3, 1, 1, 1), 256, 3),
    "daliahar": ((3, 1, 1, 1, 3), 256, 7),
    "dsads": ((9, 9, 9, 9, 9), 125, 19),
    "mimic": ((1,) * 17, 24, 6),
}
# Settings, and the numbers for the sets above, of the model whose name begins the key.
SIZES: dict[str, tuple[dict[str, Any], tuple[int, int, int, int]]] = {
    "inceptiontime": ({}, (474115, 473671, 482131, 475078)),
    "inceptiontime, published": ({"kernel": 40}, (492547, 492103, 500563, 493510)),
    "resnet1d": ({}, (510723, 508359, 530643, 512838)),
    "transformer": ({}, (316803, 316679, 306067, 287878)),
    "transformer, published": (
        {"width": 256, "feed_forward": 1024, "norm_first": False},
        (1682179, 1681415, 1658643, 1623942),
    ),
    "itransformer": ({}, (437763, 439815, 529043, 416134)),
    "itransformer, published": (
        {"width": 512, "layers": 8, "feed_forward": 512, "readout": "mean"},
        (12822531, 12823047, 12757523, 12704134),
    ),
    "lrtf": ({}, (403719, 204779, 213623, 681898)),
    "late-fusion": ({}, (275166, 139331, 151295, 469574)),
    "fusemoe": ({}, (656003, 288007, 291091, 1345638)),
    "mult": ({}, (3709715, 400279, 402979, 22380302)),
    "flexmoe": ({"absent": "native"}, (1404547, 1220231, 1255571, 1806086)),
    "shaspec": ({}, (790669, 439500, 443352, 1283159)),
    "gru-d": ({}, (19039, 17049, 34029, 20584)),
}


def parameters(model: str, settings: dict[str, Any], name: str, absent: str = "zero") -> int:
    channels, steps, classes = SETS[name]
    schema = Schema(Modality(f"s{i:02d}", channels=c, rate_hz=32.0) for i, c in enumerate(channels))
    recipe = Recipe(model_kind=model, rival={"absent": absent} | settings)
    front_end = build_front_end(recipe)
    assert isinstance(front_end, GridFrontEnd)
    steps = 128 if model == "fusemoe" else steps  # whose positions are counted alike for all
    state = {f"{m.name}/steps": np.array([float(steps)]) for m in schema}
    state |= {f"{m.name}/moments": np.ones((2, m.channels)) for m in schema}
    with torch.device("meta"):
        network = build_network(front_end.restore(schema, state), classes, recipe)
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("key", SIZES)
def test_size(key: str, name: str) -> None:
    settings, numbers = SIZES[key]
    wanted = dict(zip(SETS, numbers, strict=True))[name]
    assert parameters(key.split(",")[0], settings, name) == wanted


def test_what_an_absent_modality_costs() -> None:
    for key, extra in {
        "transformer": 10 * 128,  # a vector each
        "resnet1d": 10 * (8 * 64 + 64),  # a channel each, in the first convolution and the shortcut
        "inceptiontime": 10 * (32 + 32 + 128),  # … in two narrow maps and the shortcut
        "itransformer": 0,
        "lrtf": 0,
        "late-fusion": 0,
        "fusemoe": 0,
        "flexmoe": (10 + 10 * 10) * 16 * 128,  # the bank
        "mult": 10 * 8,
        "shaspec": 0,
        "gru-d": 0,
    }.items():
        more = parameters(key, {}, "wesad", "native") - parameters(key, {}, "wesad")
        assert more == extra, key
