"""Every registered model passes every check under each of its recipes, scaled down.

A model that is registered and has no line in `SUITE` fails, and so does a check that a broken
model passes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from maestro_ts.baselines.peer_process import peers_python
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.output import Output
from maestro_ts.contract.registry import MODELS, ModelEntry, fits_at_once
from maestro_ts.errors import ConfigError
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.maestro import Maestro
from maestro_ts.recipe import RECIPES, Recipe, load_recipe
from maestro_ts.testing import MODEL_CHECKS, check_model

# A network among the rivals, small.
GRID = {"rival.grid_hz": 4.0, "rival.grid_steps": 16}
ATTENTION = {
    "rival.width": 64,
    "rival.layers": 1,
    "rival.heads": 2,
    "rival.feed_forward": 64,
    "rival.dropout": 0.0,
}
ENCODERS = GRID | {
    "rival.width": 16,
    "rival.encoder_dropout": 0.0,
    "rival.head_dropout": 0.0,
}
# Settings that make a recipe small, or add to it; its name comes first.
SUITE: dict[str, dict[str, dict[str, Any]]] = {
    "maestro": {
        "tiny": {},
        "default": {"symbols.tokens": 12, "model.width": 16},
        "paper": {"model.width": 16, "model.heads": 4},
        "tiny with words": {"symbols.dictionary": 1},
    },
    "lightgbm": {"tiny": {"rival.statistics": "31", "rival.trees": 10, "rival.rows_in_leaf": 1}},
    "logistic": {"tiny": {"rival.copies": 1}},
    "multirocket-hydra": {"tiny": {"rival.kernels": 84, "rival.groups": 2, "rival.copies": 1}},
    "majority": {"tiny": {}},
    "pypots": {"tiny": GRID | {"rival.width": 16, "rival.copies": 1}},
    "transformer": {
        "tiny": GRID | ATTENTION | {"rival.head_width": 32, "rival.head_dropout": 0.0},
    },
    "itransformer": {"tiny": GRID | ATTENTION},
    "late-fusion": {"tiny": ENCODERS | {"rival.grid_steps": 8}},
    "lrtf": {"tiny": ENCODERS | {"rival.rank": 2}},
    "masked-token-transformer": {
        "tiny": ATTENTION | {"rival.patches": 4, "rival.grid_steps": 16, "rival.head_dropout": 0.0},
    },
    "shaspec": {"tiny": ENCODERS | {"rival.head_width": 16}},
    "fusemoe": {"tiny": GRID | ATTENTION | {"rival.width": 16, "rival.expert_width": 16}},
    "mult": {
        "tiny": GRID
        | ATTENTION
        | {"rival.width": 4, "rival.memory_layers": 1, "rival.embedding_dropout": 0.0},
    },
    "flexmoe": {
        "tiny": ATTENTION
        | {"rival.width": 16, "rival.patches": 2, "rival.grid_steps": 8, "rival.experts": 4}
        | {"rival.chosen": 2},
    },
    # Finer than the slowest sensor: what is measured at every step never decays.
    "gru-d": {"tiny": {"rival.grid_hz": 8.0, "rival.width": 32, "rival.dropout": 0.0}},
    "resnet1d": {"tiny": GRID | {"rival.width": 8}},
    "inceptiontime": {"tiny": GRID | {"rival.width": 4, "rival.kernel": 9, "rival.shortcuts": 1}},
}
PACKAGES = {"lightgbm": "lightgbm", "multirocket-hydra": "aeon"}
# An expert that no token is routed to has no gradient, by design: here all are chosen.
ALL_EXPERTS = ("gradients", "modality_counts")


def small(model: str, name: str, check: str) -> Recipe:
    recipe = load_recipe(name.split()[0]).override(SUITE[model][name])
    if check in ALL_EXPERTS:
        recipe = recipe.override({"experts.top_k": recipe.experts.count})
    return recipe


CASES = [
    pytest.param(model, recipe, check, id=f"{model}-{recipe}-{check}")
    for model, recipes in SUITE.items()
    for recipe in recipes
    for check in MODEL_CHECKS
]


@pytest.mark.parametrize(("model", "recipe", "check"), CASES)
def test_model(model: str, recipe: str, check: str) -> None:
    if model in PACKAGES:
        pytest.importorskip(PACKAGES[model])
    if model == "pypots" and not peers_python().exists():
        pytest.skip("there is no environment of PyPOTS (make peers)")
    check_model(model, small(model, recipe, check), checks=[check])


def test_every_registered_model_and_recipe_is_tested() -> None:
    assert set(SUITE) == set(MODELS)
    assert {name.split()[0] for name in SUITE["maestro"]} == set(RECIPES)


def test_only_what_is_fitted_at_once_is_exempt_from_gradients() -> None:
    for name, entry in MODELS.items():
        once = fits_at_once(load_recipe("tiny").override({"model_kind": name}))
        assert once == ("gradients" in entry.exempt)
        assert set(entry.exempt) <= set(MODEL_CHECKS)


def test_the_list_of_checks_is_whole() -> None:
    named = {function.__doc__.split(":")[0] for function in MODEL_CHECKS.values()}  # type: ignore[union-attr]
    assert named == {f"C{i}" for i in range(1, 19)}


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="maestro"):
        check_model("maestr")
    with pytest.raises(ConfigError, match="gradients"):
        check_model("maestro", checks=["gradient"])
    with pytest.raises(ConfigError, match="neighbours"):
        check_model("maestro", exempt={"neighbour": ("a reason",)}, checks=[])


def test_a_needless_exemption_is_refused() -> None:
    with pytest.raises(AssertionError, match="exempt, yet a gradient"):
        check_model("maestro", exempt={"gradients": ("budget.utility",)}, checks=["gradients"])


def test_published_gates_have_no_gradient_and_say_so() -> None:
    recipe = load_recipe("tiny").override({"budget.rule": "code"})
    gate = ("budget.availability.*",)
    check_model("maestro", recipe, exempt={"gradients": gate}, checks=["gradients"])
    with pytest.raises(AssertionError, match=r"no gradient reaches budget.availability"):
        check_model("maestro", recipe, checks=["gradients"])


def test_an_exempt_check_is_not_run(broken: Callable[..., str]) -> None:
    name = broken(Noisy)
    check_model(name, exempt={"deterministic": ("it draws",)}, checks=["deterministic"])


# ------------------------------------------------------------ models that are broken on purpose


class Noisy(Maestro):
    """Draws in evaluation."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        return replace(out, logits=out.logits + 1e-3 * torch.randn_like(out.logits))


class Mixing(Maestro):
    """Logits depend on the other windows of the batch."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        return replace(out, logits=out.logits - out.logits.mean(dim=0))


class Unused(Maestro):
    """Has a parameter that nothing reads."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.extra = nn.Parameter(torch.zeros(3))


class Dividing(Maestro):
    """Divides by the number of present modalities."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        share = batch.present.sum(dim=1, keepdim=True) / batch.present.sum(dim=1, keepdim=True)
        return replace(out, logits=out.logits * share)


class Growing(Maestro):
    """Remembers every pass."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        self.seen = [*getattr(self, "seen", []), len(batch)]
        return out


class Ordered(Maestro):
    """Reads the inputs by their place in the mapping."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        first = next(iter(batch.inputs.values())).flatten(1).double().mean(dim=1)
        return replace(out, logits=out.logits + first[:, None].to(out.logits.dtype))


class Paying(Maestro):
    """Is paid for its budget."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        return replace(out, aux_loss=torch.tensor(-1.0))


class Unsaved(Maestro):
    """Has state that its file lacks."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.register_buffer("shift", torch.rand(3), persistent=False)
        self.shift: Tensor

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        return replace(out, logits=out.logits + self.shift)


class Single(Maestro):
    """Answers in float32 whatever its weights are."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        return replace(out, logits=out.logits.float())


class Normed(Maestro):
    """Has a batch norm, which cannot train on one window."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.norm = nn.BatchNorm1d(3)

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        return replace(out, logits=self.norm(out.logits))


class Exploding(Maestro):
    """Divides by the deviation of the symbols over time."""

    def forward(self, batch: Batch) -> Output:
        out = super().forward(batch)
        spread = torch.cat([x.flatten(2).float().std(dim=1) for x in batch.inputs.values()], dim=1)
        share = (spread / spread).mean(dim=1, keepdim=True)
        return replace(out, logits=out.logits * share.to(out.logits.dtype))


class Deaf(Maestro):
    """Learns nothing: its logits do not depend on the windows."""

    def forward(self, batch: Batch) -> Output:
        return Output(logits=0.0 * self.modality.sum() * torch.ones(len(batch), 3))


class Unmasked(SymbolFrontEnd):
    """Ignores training masks in the values, not in the presence."""

    def collate(self, prepared: Any, rows: np.ndarray, mask: Any = None) -> Batch:
        masked = super().collate(prepared, rows, mask)
        plain = super().collate(prepared, rows, None)
        level = {k: v.clone() for k, v in masked.extras.items()}
        for name, symbols in plain.inputs.items():
            key = f"summary/{name}"
            if level[key].shape[-1]:
                level[key] = symbols.flatten(1)[:, :1, None].expand_as(level[key])
        return replace(masked, extras=level, present=plain.present, host_present=plain.host_present)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def register(network: type[Maestro] = Maestro, front: type = SymbolFrontEnd) -> str:
        module: Any = ModuleType("broken_model")
        module.front_end = lambda recipe: front(recipe.symbols)
        module.network = lambda fitted, n, recipe: network(fitted.symbolizer, n, recipe)
        monkeypatch.setitem(sys.modules, "broken_model", module)
        monkeypatch.setitem(MODELS, "broken", ModelEntry("broken_model", "", "", ()))
        return "broken"

    return register


@pytest.mark.parametrize(
    ("network", "check"),
    [
        (Noisy, "deterministic"),
        (Mixing, "neighbours"),
        (Unused, "gradients"),
        (Dividing, "all_missing"),
        (Dividing, "shapes"),
        (Growing, "no_side_effects"),
        (Ordered, "key_order"),
        (Paying, "shapes"),
        (Unsaved, "save_load"),
        (Single, "precision"),
        (Normed, "batch_of_one"),
        (Exploding, "constant_windows"),
        (Mixing, "modality_counts"),
        (Deaf, "learns"),
    ],
)
def test_a_broken_network_fails(
    network: type[Maestro], check: str, broken: Callable[..., str]
) -> None:
    with pytest.raises(AssertionError, match=f"broken fails 1 of 1 checks:\n  {check}"):
        check_model(broken(network), checks=[check])


def test_a_front_end_that_ignores_masks_fails(broken: Callable[..., str]) -> None:
    with pytest.raises(AssertionError, match="below the mask"):
        check_model(broken(front=Unmasked), checks=["masked_values"])


def test_all_failures_are_listed(broken: Callable[..., str]) -> None:
    with pytest.raises(AssertionError, match=r"fails 2 of 3 checks(.|\n)*shapes(.|\n)*all_missing"):
        check_model(broken(Dividing), checks=["shapes", "all_missing", "batch_of_one"])
