"""``maestro-ts export``."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Command, refused

from maestro_ts.deploy.export import Agreement
from maestro_ts.experiments import export_job
from maestro_ts.experiments.cost_job import Timing
from maestro_ts.experiments.export_job import ExportReport

PRINTED = """\
exports/m/model.onnx: 6.66 MB
Largest difference of a logit from the model's: 3.2e-06 over 37 drawn windows; same class in 97.3%.
One window, symbols to logits: 2.5 ms [2.4, 2.75], 2 threads.
"""


def test_what_is_printed(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def canned(*given: object, **settings: object) -> ExportReport:
        del settings["progress"]
        asked.append((*given, settings))
        agreement, window = Agreement(37, 3.21e-6, 36 / 37), Timing(0.0025, 0.0024, 0.00275)
        return ExportReport(
            Path("exports/m/model.onnx"), 6_661_143, agreement, window, 2, accuracy=[]
        )

    monkeypatch.setattr(export_job, "export_and_time", canned)
    done = command("export", "runs/m", "--out", "exports/m", "--int8", "--overwrite")
    assert (done.code, done.err, done.out) == (0, "", PRINTED)
    paths = (Path("runs/m"), Path("exports/m"))
    settings = {"samples": False, "int8": True, "overwrite": True, "data": None}
    assert asked == [(*paths, "onnx", settings)]
    done = command("export", "runs/m", "--out", "exports/m", "--samples")
    assert "One window, samples to logits: 2.5 ms" in done.out
    settings |= {"samples": True, "int8": False, "overwrite": False}
    assert asked[1:] == [(*paths, "onnx", settings)]


def test_what_cannot_be_exported(command: Command, tmp_path: Path) -> None:
    refused(
        command("export", tmp_path / "no", "--out", tmp_path / "x", "--format", "torch"),
        "no such run folder",
    )
    assert command("export", tmp_path, "--out", tmp_path / "x", "--format", "coreml").code == 2
    assert not (tmp_path / "x").exists()
