from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.recipe import Recipe, TrainingSettings, load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.training.callbacks import Callback, EpochReport
from maestro_ts.training.loop import Examples, Trainer
from maestro_ts.training.schedule import learning_rate, planned_epochs

SENSORS = (Modality("acc", channels=3, rate_hz=20), Modality("eda", rate_hz=4))
Weights = dict[str, Tensor]


def examples(n: int = 40, seed: int = 0, *, shift: float = 1.5) -> Examples:
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % 2
    move = shift * targets[:, None, None]
    arrays = {
        "acc": rng.normal(size=(n, 40, 3)) + move,
        "eda": rng.normal(size=(n, 8, 1)) - move,
    }
    windows = Windows.from_arrays(arrays, SENSORS)
    return Examples(windows, targets.astype(np.int64), np.ones(n, dtype=np.float32))


def tiny(**training: Any) -> Recipe:
    settings = {f"training.{key}": value for key, value in training.items()}
    return load_recipe("tiny").override({"training.epochs": 4, "model.dropout": 0.2} | settings)


class Follow(Callback):
    """Clones of the live weights after each epoch, and everything that was told."""

    def __init__(self) -> None:
        self.network: torch.nn.Module | None = None
        self.weights: list[Weights] = []
        self.reports: list[EpochReport] = []
        self.steps: list[int] = []
        self.told: list[str] = []

    def on_begin(self, steps: int, done: int) -> None:
        self.told.append(f"begin {done}/{steps}")

    def on_step(self, step: int, steps: int, loss: float) -> None:
        self.steps.append(step)

    def on_epoch(self, report: EpochReport) -> None:
        assert self.network is not None
        self.weights.append(clone(self.network))
        self.reports.append(report)

    def on_end(self) -> None:
        self.told.append("end")


def clone(network: torch.nn.Module) -> Weights:
    return {key: value.detach().clone() for key, value in network.state_dict().items()}


def equal(one: Weights, two: Weights) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


def trained(
    recipe: Recipe,
    train: Examples,
    held: Examples | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
) -> tuple[Trainer, Follow]:
    front_end = build_front_end(recipe).fit(train.windows)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(front_end, 2, recipe)
    follow = Follow()
    follow.network = network
    trainer = Trainer(front_end, network, recipe, seed, [follow, *callbacks])
    trainer.fit(train, held)
    return trainer, follow


def script(monkeypatch: pytest.MonkeyPatch, scores: Sequence[float]) -> None:
    """Give validations these scores instead of computing them."""
    left = list(scores)
    monkeypatch.setattr(Trainer, "_validate", lambda self, held: (left.pop(0), 1.0))


def test_the_weights_of_the_best_epoch_are_kept_and_not_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script(monkeypatch, [0.1, 0.9, 0.5, 0.4])
    trainer, follow = trained(tiny(), examples(), examples(12, 1))
    kept = clone(trainer.network)
    assert equal(kept, follow.weights[1])
    assert not equal(kept, follow.weights[-1])
    assert [report.best for report in follow.reports] == [True, True, False, False]


def test_of_equal_scores_the_lower_validation_loss_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = [(0.8, 0.5), (0.8, 0.3), (0.8, 0.4), (0.7, 0.1)]
    monkeypatch.setattr(Trainer, "_validate", lambda self, held: left.pop(0))
    trainer, follow = trained(tiny(), examples(), examples(12, 1))
    assert equal(clone(trainer.network), follow.weights[1])


def test_the_kept_epoch_is_the_one_that_the_log_calls_best() -> None:
    trainer, follow = trained(tiny(epochs=6), examples(shift=0.4), examples(12, 1, shift=0.4))
    rank = [(row["validation_f1"], -row["validation_loss"]) for row in trainer.log]
    assert equal(clone(trainer.network), follow.weights[rank.index(max(rank))])


def test_without_validation_windows_the_last_weights_are_kept() -> None:
    trainer, follow = trained(tiny(), examples(), None)
    assert equal(clone(trainer.network), follow.weights[-1])
    assert [row["validation_f1"] for row in trainer.log] == [None] * 4


def test_poisoned_validation_windows_change_the_choice_but_not_the_trajectory() -> None:
    train, held = examples(), examples(12, 1)
    poisoned = Examples(held.windows, 1 - held.targets, held.weights)
    one, path = trained(tiny(), train, held)
    two, same_path = trained(tiny(), train, poisoned)
    assert all(equal(a, b) for a, b in zip(path.weights, same_path.weights, strict=True))
    assert not equal(clone(one.network), clone(two.network))


def test_validating_leaves_the_trajectory_alone_with_a_moving_average_too() -> None:
    recipe = tiny(average_decay=0.8)
    _, with_validation = trained(recipe, examples(), examples(12, 1))
    _, without = trained(recipe, examples(), None)
    assert all(equal(a, b) for a, b in zip(with_validation.weights, without.weights, strict=True))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    one, two, other = (clone(trained(tiny(), examples(), seed=s)[0].network) for s in (5, 5, 6))
    assert equal(one, two)
    assert not equal(one, other)


def test_global_random_states_are_neither_moved_nor_read() -> None:
    def states() -> tuple[Any, ...]:
        name, keys, *rest = np.random.get_state()  # noqa: NPY002
        return (torch.get_rng_state().tolist(), name, keys.tolist(), rest, random.getstate())

    recipe, train, held = tiny(), examples(), examples(12, 1)
    before = states()
    one, _ = trained(recipe, train, held)
    assert states() == before
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    random.seed(99)
    two, _ = trained(recipe, train, held)
    assert equal(clone(one.network), clone(two.network))


def test_dropout_no_longer_draws_from_the_training_generator_afterwards() -> None:
    trainer, _ = trained(tiny(), examples())
    holders = [m for m in trainer.network.modules() if hasattr(m, "generator")]
    assert holders
    assert all(m.generator is None for m in holders)
    assert not trainer.network.training


def test_a_loss_that_is_not_finite_is_a_clear_error() -> None:
    recipe = tiny(learning_rate=1e30, warm_up_share=0.0, gradient_norm=None)
    with pytest.raises(RunError, match=r"training loss became (nan|inf) at step \d") as caught:
        trained(recipe, examples())
    assert "training.learning_rate" in str(caught.value)


def test_patience_stops_after_so_many_epochs_without_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script(monkeypatch, [0.5, 0.6, 0.4, 0.3, 0.2, 0.1])
    trainer, follow = trained(tiny(epochs=6, patience=2), examples(), examples(12, 1))
    assert [row["epoch"] for row in trainer.log] == [1, 2, 3, 4]
    assert equal(clone(trainer.network), follow.weights[1])
    assert follow.told[-1] == "end"


def test_patience_counts_epochs_when_validations_are_rarer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script(monkeypatch, [0.6, 0.4, 0.3, 0.2])
    trainer, _ = trained(tiny(epochs=8, patience=4, evaluate_every=2), examples(), examples(12, 1))
    assert len(trainer.log) == 6


def test_a_gain_renews_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, [0.5, 0.4, 0.6, 0.5, 0.5, 0.9])
    trainer, _ = trained(tiny(epochs=6, patience=2), examples(), examples(12, 1))
    assert len(trainer.log) == 5


def test_the_last_epoch_is_validated_whatever_the_interval() -> None:
    trainer, _ = trained(tiny(epochs=5, evaluate_every=3), examples(), examples(12, 1))
    assert [row["validation_f1"] is not None for row in trainer.log] == [
        *(False, False, True, False, True),
    ]


def test_the_moving_average_is_kept_instead_of_the_last_weights() -> None:
    recipe, train = tiny(average_decay=0.9), examples()
    front_end = build_front_end(recipe).fit(train.windows)
    network = build_network(front_end, 2, recipe)
    average, last = clone(network), clone(network)

    class Average(Callback):
        def on_step(self, step: int, steps: int, loss: float) -> None:
            decay = min(0.9, (1 + step) / (10 + step))
            for key, live in clone(network).items():
                last[key] = live
                old = average[key]
                average[key] = (
                    decay * old + (1 - decay) * live if live.is_floating_point() else live
                )

    Trainer(front_end, network, recipe, 0, [Average()]).fit(train, None)
    kept = clone(network)
    for key, value in average.items():
        torch.testing.assert_close(kept[key], value, rtol=1e-4, atol=1e-6)
    assert not equal(kept, last)


def test_a_window_of_weight_zero_has_no_say() -> None:
    train = examples()
    weights = np.where(np.arange(40) % 4 < 2, 1.0, 0.0).astype(np.float32)
    wrong = np.where(weights == 0, 1 - train.targets, train.targets)
    one, _ = trained(tiny(), Examples(train.windows, train.targets, weights))
    two, _ = trained(tiny(), Examples(train.windows, wrong, weights))
    three, _ = trained(tiny(), Examples(train.windows, wrong, np.ones_like(weights)))
    assert equal(clone(one.network), clone(two.network))
    assert not equal(clone(one.network), clone(three.network))


def test_the_learning_rate_warms_up_and_falls_as_a_cosine() -> None:
    settings = tiny(learning_rate=0.2, warm_up_share=0.1).training
    at = [learning_rate(settings, share) for share in (0.05, 0.1, 0.55, 1.0)]
    assert np.allclose(at, [0.1, 0.2, 0.1, 0.0])
    assert 0 < learning_rate(settings, 0.0) < 0.01


def test_the_constant_learning_rate_stays_after_the_warm_up() -> None:
    settings = tiny(learning_rate=0.2, warm_up_share=0.1, schedule="constant").training
    at = [learning_rate(settings, share) for share in (0.05, 0.1, 0.55, 1.0)]
    assert np.allclose(at, [0.1, 0.2, 0.2, 0.2])


def test_the_optimiser_uses_the_scheduled_learning_rate() -> None:
    recipe, train = tiny(), examples()
    front_end = build_front_end(recipe).fit(train.windows)
    trainer = Trainer(front_end, build_network(front_end, 2, recipe), recipe, 0)
    used = []

    class Rate(Callback):
        def on_step(self, step: int, steps: int, loss: float) -> None:
            used.append([group["lr"] for group in trainer.optimizer.param_groups])

    trainer.callbacks = [Rate()]
    trainer.fit(train, None)
    wanted = [learning_rate(recipe.training, k / trainer.steps) for k in range(trainer.steps)]
    assert np.allclose(used, np.array(wanted)[:, None])


def test_only_matrices_decay() -> None:
    trainer, _ = trained(tiny(weight_decay=0.05), examples())
    decayed, spared = trainer.optimizer.param_groups
    assert decayed["weight_decay"] == 0.05
    assert spared["weight_decay"] == 0.0
    assert all(p.ndim >= 2 for p in decayed["params"])
    assert all(p.ndim < 2 for p in spared["params"])


def test_epochs_are_added_until_there_are_enough_steps() -> None:
    trainer, follow = trained(tiny(epochs=2, min_steps=9, batch_size=20), examples())
    assert follow.steps == list(range(1, 11))
    assert len(trainer.log) == 5
    assert follow.told == ["begin 0/10", "end"]


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({"epochs": 120}, 120),
        ({"epochs": 120, "max_steps": 1250}, 10),
        ({"epochs": 120, "max_steps": 60}, 1),  # one epoch is the least
        ({"epochs": 5, "max_steps": 1250}, 5),
        ({"epochs": 5, "min_steps": 700, "max_steps": 1250}, 6),
        ({"epochs": 5, "min_steps": 1200, "max_steps": 1200}, 10),  # whole epochs
    ],
)
def test_planned_epochs_of_125_steps(settings: dict[str, int], epochs: int) -> None:
    assert planned_epochs(TrainingSettings(**settings), 125) == epochs


def test_the_loss_falls() -> None:
    trainer, _ = trained(tiny(epochs=8), examples())
    losses = [row["loss"] for row in trainer.log]
    assert losses[-1] < 0.6 * losses[0]


def test_selection_under_missing_sensors_hides_the_same_ones_each_time() -> None:
    held = examples(12, 1)
    trainer, _ = trained(tiny(selection_rates=(0.0, 0.5), epochs=1), examples(), held)
    one, two = (trainer._prepare_validation(held) for _ in range(2))
    assert len(one) == 2
    rows = np.arange(12)
    for (a, _), (b, _) in zip(one, two, strict=True):
        batches = [trainer.front_end.collate(p, rows) for p in (a, b)]
        assert torch.equal(batches[0].present, batches[1].present)
    complete, halved = (trainer.front_end.collate(p, rows).present for p, _ in one)
    assert complete.all()
    assert (halved.sum(dim=1) == 1).all()


def test_a_segment_never_takes_the_last_of_a_window() -> None:
    # One sample a window is one bin: a segment over its middle would leave nothing.
    y = np.arange(40) % 2
    rows = []

    class Seen(Callback):
        def on_step(self, step: int, steps: int, loss: float) -> None:
            rows.append(loss)

    clf = MaestroClassifier(
        [Modality("spot", rate_hz=1)],
        recipe="tiny",
        settings={
            "training.epochs": 4,
            "curriculum.warm_share": 0.0,
            "curriculum.segment_probability": 1.0,
            "curriculum.segment_max_share": 1.0,
        },
        random_state=0,
        callbacks=[Seen()],
    )
    collated = []
    collate = SymbolFrontEnd.collate

    def spying(self: SymbolFrontEnd, prepared: Any, rows: Any, mask: Any = None) -> Any:
        batch = collate(self, prepared, rows, mask)
        collated.append(bool(batch.host_present.any(dim=1).all()))
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SymbolFrontEnd, "collate", spying)
        clf.fit({"spot": (y * 2.0 - 1.0)[:, None, None]}, y)
    assert not all(collated), "no segment ever took everything: the test shows nothing"
    assert len(rows) == 8
    # The batch that is learned from follows the refused one, and is whole.
    assert all(after for before, after in itertools.pairwise(collated) if not before)
