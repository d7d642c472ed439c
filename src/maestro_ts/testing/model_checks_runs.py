"""Checks of a model as a whole: files, precision, size, learning, side effects, dropped sensors."""

from __future__ import annotations

import copy
import pickle
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts.contract.network import Network
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.recipe import CurriculumSettings
from maestro_ts.signals.curriculum import draw_mask
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.model_case import (
    CLASSES,
    ModelCase,
    assert_same,
    evaluate,
    finite,
    gradients,
    logits_of,
    train_batch,
)
from maestro_ts.testing.model_checks import mixed, random_states
from maestro_ts.testing.windows_generator import (
    DURATION_S,
    FOUR_RATES,
    keep,
    random_windows,
    sensor_schema,
)
from maestro_ts.training.run import Run

__all__ = [
    "check_dropped_sensors",
    "check_learns",
    "check_no_side_effects",
    "check_precision",
    "check_save_load",
    "check_size",
]

STEPS = 300
TOY_RATES = {"acc": 16.0, "bvp": 32.0, "eda": 8.0}


def check_save_load(case: ModelCase) -> None:
    """C12: a model read from its folder gives bit-equal logits; no file in it is a pickle."""
    windows = mixed(FOUR_RATES, 8)
    front_end, network = case.build(windows)
    recipe = case.recipe.override({"model_kind": case.name})
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run")
        run.begin()
        run.save_model(recipe, windows.schema, np.arange(CLASSES), front_end, network, {})
        stored = run.load_model()
        for path in run.folder.rglob("*"):
            assert path.suffix in {".yaml", ".json", ".safetensors"}, f"{path.name} is stored"
    wanted = logits_of(front_end, network, windows)
    assert_same(logits_of(stored.front_end, stored.network, windows), wanted, "read back")
    strict = stored.network.load_state_dict(network.state_dict(), strict=True)
    assert not strict.missing_keys, f"not stored: {strict.missing_keys}"


def check_precision(case: ModelCase) -> None:
    """C13: float64 agrees to 1e-4, a copy on a GPU to 1e-3; bfloat16 autocast is finite."""
    windows = mixed(FOUR_RATES, 8)
    front_end, network = case.build(windows)
    batch = front_end(windows)
    single = evaluate(network, batch).logits
    double = evaluate(copy.deepcopy(network).double(), batch).logits
    assert double.dtype == torch.float64, f"a float64 network answers in {double.dtype}"
    apart = float((single.double() - double).abs().max())
    assert apart <= 1e-4 * max(1.0, float(double.abs().max())), f"float32 is off by {apart:.3g}"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        finite(evaluate(network, batch).logits, "logits under bfloat16 autocast")
        train_batch(network, batch, np.arange(8) % CLASSES)
    for name, gradient in gradients(network).items():
        finite(gradient, f"gradient of {name} under bfloat16 autocast")
    if torch.cuda.is_available():
        device = torch.device("cuda")
        there = evaluate(copy.deepcopy(network).to(device), batch.to(device)).logits.cpu()
        apart = float((there - single).abs().max())
        assert apart <= 1e-3 * max(1.0, float(single.abs().max())), f"the GPU is off by {apart:.3g}"


def check_size(case: ModelCase) -> None:
    """C14: schema, classes and recipe alone decide over names and shapes of the parameters."""
    sizes = [_sizes(case.build(random_windows(FOUR_RATES, n, seed=n), seed=n)[1]) for n in (6, 11)]
    assert sizes[0] == sizes[1], "the size depends on the windows"
    assert sum(np.prod(shape) for shape in sizes[0].values()) > 0, "there is no parameter"
    assert all(0 not in shape for shape in sizes[0].values()), "a parameter is empty"


def _sizes(network: Network) -> dict[str, tuple[int, ...]]:
    return {name: tuple(p.shape) for name, p in network.named_parameters()}


def check_learns(case: ModelCase) -> None:
    """C15: fits 32 random labels to 95 % in 300 steps; finds a label that sits in one modality.

    With that modality accuracy is 90 % or more, without it chance ± 10 %. A model that is fitted
    at once has no steps: only the second is asked of it.
    """
    if not case.at_once:
        _memorise(case)
    train, test = _toy(64, seed=0), _toy(300, seed=1)
    settings = {"epochs": 20, "min_steps": 0, "batch_size": 32, "learning_rate": 5e-3}
    recipe = case.recipe.override({"model_kind": case.name}).override(
        {f"training.{key}": value for key, value in settings.items()}
    )
    clf = MaestroClassifier(recipe=recipe, random_state=0).fit(train)
    there = clf.score(test, test.labels)
    assert there >= 0.9, f"accuracy {there:.3f} where the label sits in one modality"
    without = keep(test, np.array([True, False, True]))
    blind = clf.score(without, test.labels)
    assert abs(blind - 0.5) <= 0.1, f"accuracy {blind:.3f} without that modality"


def _memorise(case: ModelCase) -> None:
    windows = random_windows(TOY_RATES, 32)
    labels = np.random.default_rng(0).permutation(np.arange(32) % CLASSES)
    front_end, network = case.build(windows)
    batch = front_end(windows)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    accuracy = 0.0
    for step in range(STEPS):
        optimizer.zero_grad()
        network.set_progress(step / STEPS)
        train_batch(network, batch, labels, seed=step)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        network.after_step()
        if step % 10 == 9:
            found = evaluate(network, batch).logits.argmax(dim=1).numpy()
            accuracy = float((found == labels).mean())
            if accuracy >= 0.95:
                return
    raise AssertionError(f"{accuracy:.3f} of 32 windows after {STEPS} steps")


def _toy(n: int, seed: int) -> Windows:
    """Two classes: the second of three modalities rises or falls; the others are noise."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    schema = sensor_schema(TOY_RATES)
    arrays = {}
    for m in schema:
        length = round((m.rate_hz or 1.0) * DURATION_S)
        way = 2.0 * labels - 1.0 if m.name == "bvp" else rng.choice([-1.0, 1.0], n)
        slope = way[:, None, None] * np.linspace(-1.5, 1.5, length)[None, :, None]
        arrays[m.name] = slope + rng.normal(size=(n, length, m.channels))
    return Windows.from_arrays(arrays, schema, duration_s=DURATION_S, labels=labels)


def check_no_side_effects(case: ModelCase) -> None:
    """C17: fifty evaluations leave sizes, default dtype, threads and random states as they were."""
    windows = mixed(FOUR_RATES, 4)
    front_end, network = case.build(windows)
    batch = front_end(windows)
    network.eval()
    before = _surroundings(network)
    for _ in range(50):
        evaluate(network, batch)
    after = _surroundings(network)
    for name, value in before.items():
        assert after[name] == value, f"{name} changed in fifty evaluations"


def _surroundings(network: Network) -> dict[str, object]:
    return {
        "the network's size": len(pickle.dumps(network)),
        "the network's state": {k: v.sum().item() for k, v in network.state_dict().items()},
        "the default dtype": torch.get_default_dtype(),
        "the number of threads": torch.get_num_threads(),
        "the random state": random_states(),
    }


def check_dropped_sensors(case: ModelCase) -> None:
    """C18: training runs with all modalities but one dropped in every window, and segments lost."""
    settings = CurriculumSettings(
        schedule="ramp", modality_max=1.0, warm_share=0.0, segment_probability=1.0
    )
    windows = random_windows(FOUR_RATES, 16)
    front_end, network = case.build(windows)
    prepared, rows = front_end.prepare(windows), np.arange(16)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for step in range(3):
        mask = draw_mask(settings, windows.present, 1.0, np.random.default_rng(step))
        kept: NDArray[np.int64] = (mask.keep & windows.present).sum(axis=1)
        assert (kept == 1).all(), "the mask keeps one modality per window"
        optimizer.zero_grad()
        loss = train_batch(network, front_end.collate(prepared, rows, mask), rows % CLASSES)
        finite(loss, "the loss")
        for name, gradient in gradients(network).items():
            finite(gradient, f"gradient of {name}")
        optimizer.step()
        network.after_step()
