"""Exported files give the model's logits in their own runtime, or are not there."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from maestro_ts.deploy import export as module
from maestro_ts.deploy.export import Export, Format, export_run, runner_of
from maestro_ts.deploy.feed import feed
from maestro_ts.deploy.golden import golden_batch, patterns
from maestro_ts.deploy.onnx_file import quantised
from maestro_ts.errors import ConfigError, MissingExtraError, RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.model.maestro import Maestro
from maestro_ts.testing.windows_generator import keep, mixed_patterns, random_windows
from maestro_ts.training.run import Run

RATES = {"acc": 32.0, "bvp": 64.0}
NEEDS_ONNX = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="not run: the extra 'export' (onnx, onnxscript, onnxruntime) is not installed",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    windows = random_windows(RATES, 12)
    settings = {"training.epochs": 2, "symbols.dictionary": 1}
    clf = MaestroClassifier(recipe="tiny", settings=settings, random_state=0)
    clf.fit(windows, windows.labels).save(folder)
    return folder


@pytest.fixture(scope="module")
def onnx(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Export:
    return export_run(run, tmp_path_factory.mktemp("onnx") / "out", "onnx")


def network_of(run: Path) -> Maestro:
    network = Run(run).load_model().network
    assert isinstance(network, Maestro)
    return network


def check_on_windows(run: Path, done: Export) -> None:
    """Real windows with every kind of absence, in batches of several sizes."""
    clf = MaestroClassifier.load(run)
    windows = keep(random_windows(RATES, 6, seed=3), mixed_patterns(len(RATES), 6))
    expected = clf.explain(windows).logits
    given = feed(done.graph, clf.front_end_)(windows)
    execute = runner_of(done.file)
    for rows in (slice(0, 6), slice(1, 2), slice(2, 5)):
        found = execute([x[rows].contiguous() for x in given])
        np.testing.assert_allclose(found.numpy(), expected[rows], rtol=0, atol=1e-5)
    assert expected.std(axis=0).min() > 1e-3


@NEEDS_ONNX
def test_onnx_gives_the_models_logits(run: Path, onnx: Export) -> None:
    assert onnx.agreement.largest_difference <= 1e-5
    assert onnx.agreement.same_class == 1.0
    assert onnx.bytes == onnx.file.stat().st_size
    check_on_windows(run, onnx)


def test_torch_gives_the_models_logits(run: Path, tmp_path: Path) -> None:
    done = export_run(run, tmp_path / "out", "torch")
    assert done.agreement.largest_difference <= 1e-5
    assert sorted(p.name for p in done.file.parent.iterdir()) == ["export.json", "model.pt2"]
    check_on_windows(run, done)


@pytest.mark.parametrize("kind", [pytest.param("onnx", marks=NEEDS_ONNX), "torch"])
def test_a_file_that_takes_samples_gives_the_models_logits(
    run: Path, kind: Format, tmp_path: Path
) -> None:
    done = export_run(run, tmp_path / "out", kind, samples=True)
    assert done.agreement.largest_difference <= 1e-5
    check_on_windows(run, done)
    told = json.loads((tmp_path / "out" / "export.json").read_text())
    assert told["samples"]
    assert told["inputs"] == [
        {"name": "samples/acc", "type": "float32", "shape": ["batch", 64, 1]},
        {"name": "samples/bvp", "type": "float32", "shape": ["batch", 128, 2]},
    ]
    if kind == "onnx":  # rounded weights leave the symbols of samples alone
        quantised(done.file, tmp_path / "small.onnx")
        exact, rounded = (
            runner_of(file)(done.golden.given) for file in (done.file, tmp_path / "small.onnx")
        )
        assert 1e-5 < float((exact - rounded).abs().max()) < 0.1


@pytest.mark.parametrize("kind", [pytest.param("onnx", marks=NEEDS_ONNX), "torch"])
def test_the_members_of_the_default_recipe_are_exported_too(kind: str, tmp_path: Path) -> None:
    windows = random_windows(RATES, 12)
    settings = {
        "training.epochs": 2,
        "training.min_steps": 0,
        "model.width": 16,
        "model.members": 2,
        "symbols.dictionary": 1,
        "augmentation.max_windows": 0,
    }
    clf = MaestroClassifier(recipe="default", settings=settings, random_state=0)
    clf.fit(windows, windows.labels).save(tmp_path / "run")
    done = export_run(tmp_path / "run", tmp_path / "out", kind)
    assert done.agreement.largest_difference <= 1e-5
    check_on_windows(tmp_path / "run", done)


@NEEDS_ONNX
def test_the_sidecar_says_what_goes_in_and_comes_out(onnx: Export) -> None:
    assert sorted(p.name for p in onnx.file.parent.iterdir()) == ["export.json", "model.onnx"]
    told = json.loads((onnx.file.parent / "export.json").read_text())
    assert [i["name"] for i in told["inputs"]] == list(onnx.graph.inputs)
    given = onnx.golden.given
    assert [i["shape"][1:] for i in told["inputs"]] == [list(x.shape[1:]) for x in given]
    assert [f"torch.{i['type']}" for i in told["inputs"]] == [str(x.dtype) for x in given]
    assert (told["file"], told["int8"], told["classes"]) == ("model.onnx", False, [0, 1, 2])
    assert told["window_s"] == 2.0
    assert told["baseline_s"] is None
    assert not told["samples"]
    streams = [(s["name"], s["rate_hz"], s["channels"], s["bins"]) for s in told["streams"]]
    assert streams == [("acc", 32.0, 1, 8), ("bvp", 64.0, 2, 8)]
    assert len(told["symbols"]["breakpoints"]) == told["symbols"]["alphabet"] - 1
    assert set(told["symbols"]["statistics"]) > {"acc/level/mean", "bvp/spread/deviation"}


@NEEDS_ONNX
def test_weights_of_8_bits_are_smaller_and_near(onnx: Export, tmp_path: Path) -> None:
    small = tmp_path / "small.onnx"
    quantised(onnx.file, small)
    given = onnx.golden.given
    exact, rounded = (runner_of(file)(given) for file in (onnx.file, small))
    assert 1e-5 < float((exact - rounded).abs().max()) < 0.1
    assert small.stat().st_size != onnx.bytes


def test_golden_windows_have_every_kind_of_absence(run: Path) -> None:
    batch = golden_batch(network_of(run))
    assert torch.equal(batch.present, patterns(2))
    assert {tuple(row) for row in patterns(3).tolist()} >= {
        *[(True, True, True), (False, True, True), (True, False, True), (True, True, False)],
        *[(True, False, False), (False, True, False), (False, False, True)],
    }
    assert patterns(3).any(dim=1).all()
    for m, symbols in enumerate(batch.inputs.values()):
        assert (symbols[~batch.present[:, m]] == 0).all()
        assert len(symbols[batch.present[:, m]].unique()) == 21


def written(graph: object, example: Sequence[Tensor], path: Path) -> None:
    path.write_bytes(b"x")


def test_a_file_that_differs_is_not_there(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, golden = network_of(run), golden_batch(network_of(run))
    with torch.no_grad():
        right = network(golden).logits
    off = torch.zeros_like(right)
    monkeypatch.setattr(module, "write_torch", written)

    def returns(logits: Tensor) -> None:
        monkeypatch.setattr(module, "runner_of", lambda file: lambda x: logits[: len(x[0])])

    returns(right)
    export_run(run, tmp_path / "out", "torch")
    off[-1, 0] = 2e-4
    returns(right + off)
    with pytest.raises(RunError, match=r"differs .* by 0\.0002"):
        export_run(run, tmp_path / "new", "torch")
    off[-1, 0] = torch.nan
    returns(right + off)
    with pytest.raises(RunError, match="differs"):
        export_run(run, tmp_path / "out", "torch", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]  # the older one
    assert (tmp_path / "out" / "model.pt2").read_bytes() == b"x"


def test_what_is_refused(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"'coreml'.*onnx or torch"):
        export_run(run, tmp_path / "out", "coreml")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="8 bits"):
        export_run(run, tmp_path / "out", "torch", int8=True)
    with pytest.raises(RunError, match="no such run folder"):
        export_run(tmp_path / "none", tmp_path / "out", "torch")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match="no exported model"):
        export_run(run, foreign, "torch", overwrite=True)
    (foreign / "export.json").write_text("{}")
    with pytest.raises(RunError, match="--overwrite"):
        export_run(run, foreign, "torch")
    windows = random_windows(RATES, 6)
    rival = MaestroClassifier(recipe="tiny", settings={"model_kind": "majority"})
    rival.fit(windows, windows.labels).save(tmp_path / "rival")
    with pytest.raises(ConfigError, match=r"'majority' cannot be exported"):
        export_run(tmp_path / "rival", tmp_path / "out", "torch")
    assert not (tmp_path / "out").exists()


def test_a_missing_extra_is_named(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "maestro-ts\[export\]"'):
        export_run(run, tmp_path / "out", "onnx")
    assert not (tmp_path / "out").exists()
