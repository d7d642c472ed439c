"""The ranking loss: against a slow twin, what its second view hides, and that off means off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.output import Output
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import ConfigError
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.curriculum import draw_mask
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.training import loop
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.loop import Examples, Trainer
from maestro_ts.training.objective import LabelObjective, NumberObjective, Objective
from maestro_ts.training.pretrain import pretrain
from maestro_ts.training.ranking import poorer_view

SENSORS = tuple(Modality(name, rate_hz=8) for name in ("acc", "bvp", "eda", "hr"))
N, WEIGHT, SMOOTHING = 24, 0.7, 0.1


class Interrupted(Exception):
    pass


class StopAt(Callback):
    def on_step(self, step: int, steps: int, loss: float) -> None:
        if step == 4:
            raise Interrupted


def examples(targets: Any = None) -> Examples:
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    arrays = {m.name: rng.normal(size=(N, 16, 1)) + y[:, None, None] for m in SENSORS}
    arrays["hr"][::5] = np.nan  # naturally absent
    windows = Windows.from_arrays(arrays, SENSORS)
    return Examples(windows, y if targets is None else targets, rng.random(N).astype(np.float32))


def recipe(**training: Any) -> Recipe:
    settings = {"epochs": 3, "batch_size": 8, "ranking_weight": WEIGHT} | training
    changes = {f"training.{key}": value for key, value in settings.items()}
    return load_recipe("tiny").override({"model.dropout": 0.2, **changes})


def trainer(chosen: Recipe, **how: Any) -> Trainer:
    given = examples()
    front_end = build_front_end(chosen).fit(given.windows)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network(front_end, 2, chosen)
    return Trainer(front_end, network, chosen, 0, **how)


def views() -> tuple[Batch, Batch, Any]:
    """A batch of all windows under a training mask, its poorer view, and the mask."""
    made = trainer(recipe())
    given, rng = examples().windows, np.random.default_rng(3)
    prepared, rows = made.front_end.prepare(given), np.arange(N)
    mask = draw_mask(made.recipe.curriculum, given.present, 1.0, rng)
    batch = made.front_end.collate(prepared, rows, mask)
    return batch, poorer_view(made.front_end, prepared, rows, mask, batch, rng), mask


def slow_each(objective: str, outputs: np.ndarray, target: Any) -> float:
    """Loss of one window by one member, in float64."""
    if objective == "classes":
        log_p = log_softmax(outputs)
        soft = np.full(len(outputs), SMOOTHING / len(outputs))
        soft[target] += 1 - SMOOTHING
        return -sum(s * x for s, x in zip(soft, log_p, strict=True))
    if objective == "number":
        away = abs(outputs[0] - (target - 3.0) / 2.0)
        bend = NumberObjective.BEND
        return away**2 / (2 * bend) if away < bend else away - bend / 2
    total = 0.0
    for x, there in zip(outputs, target, strict=True):
        soft = there * (1 - SMOOTHING) + SMOOTHING / 2
        total += soft * np.log1p(np.exp(-x)) + (1 - soft) * np.log1p(np.exp(x))
    return total / len(outputs)


@pytest.mark.parametrize("objective", ["classes", "number", "labels"])
@pytest.mark.parametrize("members", [1, 3])
def test_the_loss_is_that_of_a_slow_twin(objective: str, members: int) -> None:
    rng = np.random.default_rng(members)
    width = {"classes": 3, "number": 1, "labels": 4}[objective]
    targets = {
        "classes": rng.integers(0, 3, N),
        "number": rng.normal(3, 2, N),
        "labels": rng.integers(0, 2, (N, 4)).astype(np.float32),
    }[objective]
    learned: dict[str, Objective] = {
        "number": NumberObjective(3.0, 2.0),
        "labels": LabelObjective(),
    }
    how = {"objective": learned[objective]} if objective in learned else {}
    chosen = recipe(label_smoothing=SMOOTHING).override({"model.members": members})
    made = trainer(chosen, **how)
    made.device = torch.device("cpu")
    more, less, _ = views()
    answers = rng.normal(0, 2, (2, members, N, width))
    outs = []
    for both in torch.from_numpy(answers):
        outs.append(Output(both.mean(dim=0), members=both if members > 1 else None))
    given = examples(targets)
    found = float(made._loss(given, None, np.arange(N), [more, less], outs))

    total = whole = 0.0
    broken = 0
    for i in range(N):
        of_window = 0.0
        for s in range(members):
            rich, poor = (slow_each(objective, answers[v, s, i], targets[i]) for v in (0, 1))
            of_window += rich + poor
            if less.present[i].sum() < more.present[i].sum() and rich > poor:
                of_window += WEIGHT * (rich - poor)
                broken += 1
        total += float(given.weights[i]) * of_window
        whole += float(given.weights[i])
    assert 0 < broken < members * N
    assert found == pytest.approx(total / whole, rel=1e-6)


def test_the_poorer_view_has_a_proper_subset_where_there_is_one() -> None:
    more, less, _ = views()
    rich, poor = more.present.numpy(), less.present.numpy()
    assert not (poor & ~rich).any()
    assert (poor.sum(axis=1) >= 1).all()
    single = rich.sum(axis=1) == 1
    assert (poor.sum(axis=1) < rich.sum(axis=1))[~single].all()
    assert (poor[single] == rich[single]).all()
    assert single.any()
    assert len(set(poor.sum(axis=1)[rich.sum(axis=1) > 2])) > 1


def test_what_stays_is_as_it_was_and_what_goes_is_missing() -> None:
    more, less, mask = views()
    assert (mask.segments[..., 1] > mask.segments[..., 0]).any()
    for m, name in enumerate(sorted(s.name for s in SENSORS)):
        stays = less.present[:, m]
        assert torch.equal(less.inputs[name][stays], more.inputs[name][stays])
        assert not less.valid[name][~stays].any()
        assert not less.inputs[name][~stays].any()


def test_off_draws_and_asks_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "poorer_view", lambda *given: pytest.fail("a second view"))
    made, asked = trainer(recipe(ranking_weight=0.0)), []
    made.network.register_forward_hook(lambda *_: asked.append(1))
    made.fit(examples(), None)
    assert len(asked) == made.steps
    order, masks = np.random.default_rng([0, 1]), np.random.default_rng([0, 2])
    present = examples().windows.present
    for step in range(made.steps):
        if step % 3 == 0:
            rows = order.permutation(N)
        batch = present[rows[step % 3 * 8 :][:8]]
        draw_mask(made.recipe.curriculum, batch, step / made.steps, masks)
    assert made.masks.bit_generator.state == masks.bit_generator.state


def test_off_takes_the_step_of_a_plain_loss() -> None:
    """One step, bit for bit, against a network that is asked by hand."""
    chosen = recipe(ranking_weight=0.0, epochs=1, batch_size=N, warm_up_share=0.0)
    made, twin, begun = trainer(chosen), trainer(chosen), trainer(chosen)
    made.fit(examples(), None)
    given = examples()
    rows = np.random.default_rng([0, 1]).permutation(N)
    draws = np.random.default_rng([0, 2])
    mask = draw_mask(chosen.curriculum, given.windows.present[rows], 0.0, draws)
    batch = twin.front_end.collate(twin.front_end.prepare(given.windows), rows, mask)
    twin.network.train()
    twin.network.use_generator(torch.Generator().manual_seed(0))
    twin.network.set_progress(0.0)
    optimizer = loop.optimizer_for(twin.network, chosen.training)
    for group in optimizer.param_groups:
        group["lr"] = loop.learning_rate(chosen.training, 0.0)
    out = twin.network(batch)
    each = made.objective.loss(out.logits, torch.from_numpy(given.targets[rows]), 0.0)
    weight = torch.from_numpy(given.weights[rows])
    loss = (each * weight).sum() / weight.sum()
    (loss if out.aux_loss is None else loss + out.aux_loss).backward()
    torch.nn.utils.clip_grad_norm_(twin.network.parameters(), chosen.training.gradient_norm)
    optimizer.step()
    twin.network.after_step()
    for name, value in twin.network.state_dict().items():
        assert torch.equal(value, made.network.state_dict()[name]), name
    moved = zip(twin.network.parameters(), begun.network.parameters(), strict=True)
    assert any(not torch.equal(now, before) for now, before in moved)


@pytest.mark.parametrize("members", [1, 2])
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, members: int) -> None:
    chosen = recipe().override({"model.members": members})
    whole, state = trainer(chosen), tmp_path / "state.safetensors"
    whole.fit(examples(), None)
    stopped = trainer(chosen, state_path=state, callbacks=[StopAt()])
    with pytest.raises(Interrupted):
        stopped.fit(examples(), None)
    again = trainer(chosen, state_path=state)
    again.fit(examples(), None, resume=True)
    plain = trainer(chosen.override({"training.ranking_weight": 0.0}))
    plain.fit(examples(), None)
    weights = [t.network.state_dict() for t in (whole, again, plain)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert not all(torch.equal(weights[0][key], weights[2][key]) for key in weights[0])


def test_pre_training_ranks_nothing() -> None:
    windows = examples().windows
    both = [
        pretrain(windows, recipe(ranking_weight=w), seed=0, device=torch.device("cpu"))
        for w in (0.0, WEIGHT)
    ]
    states = [found.network.state_dict() for found in both]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_network_must_not_gain_by_doing_worse_with_less() -> None:
    with pytest.raises(ConfigError, match="ranking_weight"):
        recipe(ranking_weight=1.5)
    more, less, _ = views()
    poorer = torch.ones(1, N, requires_grad=True)
    loop.ranked(torch.full((1, N), 2.0), poorer, (more, less), 1.0).sum().backward()
    assert poorer.grad is not None
    assert (poorer.grad >= 0).all()
