"""``maestro-ts stream``: every recording replayed gives the answers of ``predict``."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from running import Command, refused

from maestro_ts.cli.stream_view import TerminalView
from maestro_ts.deploy.stream_source import run_stream
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.experiments.stream_job import Timing, replayed_streams
from maestro_ts.signals.cut import cut
from maestro_ts.signals.folder import read_folder
from maestro_ts.signals.window_spec import WindowSpec
from maestro_ts.training.run import Run, replacing

SCHEMA = """\
format: 1
name: walks
modalities:
  acc:
    file: "{subject}/{recording}/acc.csv"
    columns: [x, y]
    time: {column: t, unit: s}
    rate_hz: 20
    device: wrist
  temp: {file: "{subject}/{recording}/temp.csv", columns: [temp], rate_hz: 4, device: wrist}
labels: {from: recordings}
windows: {duration_s: 4, step_s: 2}
"""


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of 16 s; in the second one ``temp`` was not worn."""
    folder = tmp_path_factory.mktemp("walks")
    (folder / "schema.yaml").write_text(SCHEMA)
    rows = ["recording,label"]
    for k in range(2):
        rng, place = np.random.default_rng(k), folder / f"S{k}" / f"w{k}"
        place.mkdir(parents=True)
        acc = rng.normal(k, 1, (320, 2)).round(3)
        lines = [f"{i / 20:.2f},{x},{y}" for i, (x, y) in enumerate(acc)]
        (place / "acc.csv").write_text("\n".join(["t,x,y", *lines, ""]))
        if k == 0:
            temp = [f"{33 + i % 7 / 10:.1f}" for i in range(64)]
            (place / "temp.csv").write_text("\n".join(["temp", *temp, ""]))
        rows.append(f"w{k},{'run' if k else 'walk'}")
    (folder / "recordings.csv").write_text("\n".join([*rows, ""]))
    return folder


@pytest.fixture(scope="module")
def run(walks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = read_folder(walks)
    spec = WindowSpec(4.0, 2.0)
    windows = cut(found.reading.recordings, found.card.schema, spec)
    clf = MaestroClassifier(recipe="tiny", settings={"training.epochs": 1}, random_state=0)
    folder = tmp_path_factory.mktemp("runs") / "walks"
    with replacing(folder, overwrite=False) as made:
        clf.fit(windows).write(made, {"layout": found.layout.to_tree()})
    return folder


def test_a_replay_gives_the_answers_of_predict(
    command: Command, run: Path, walks: Path, tmp_path: Path
):
    table = tmp_path / "p.parquet"
    assert command("predict", run, walks, "--out", table, "--no-progress").code == 0
    expected = pq.read_table(table).to_pylist()
    done = command("stream", run, walks, "--from", "replay")
    assert done.code == 0
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert len(lines) == len(expected)
    for line, row in zip(lines, expected, strict=True):
        assert (line["stream"], line["start_s"]) == (row["source"], row["start_s"])
        assert line["class"] == row["predicted"]
        for name, p in line["probabilities"].items():
            assert p == pytest.approx(row[f"p_{name}"], abs=1e-6)
        for name, there in line["present"].items():
            assert there == row[f"present_{name}"]
        assert line["budgets"].keys() == line["present"].keys()
    assert "7 windows answered" in done.err
    assert "320" in done.err


def test_a_terminal_shows_the_last_answer_and_the_sensors(run: Path, walks: Path, capsys):
    (_, live) = replayed_streams(run, walks, Timing())
    with TerminalView() as view:
        for result in run_stream(live.classifier, live.source, end_s=live.end_s):
            view.show(live, result)
        view.note("a note [with brackets]")
    shown = capsys.readouterr().out
    assert "12.00 to 16.00 s" in shown
    assert "a note [with brackets]" in shown
    for part in ("run ", "walk", "acc", "present", "temp", "missing", "320"):
        assert part in shown


@pytest.mark.skipif(
    find_spec("pylsl") is None, reason="not run: the extra 'stream' (pylsl) is not installed"
)
def test_a_live_stream_says_what_is_not_done_to_it_and_ends_when_it_is_told_to(
    command: Command, run: Path, tmp_path: Path
):
    filtered = shutil.copytree(run, tmp_path / "filtered")
    schema = Run(filtered).schema
    tree = json.loads(schema.read_text())
    tree["layout"]["modalities"]["acc"]["downsample_hz"] = 20.0
    schema.write_text(json.dumps(tree | {"distrust_scale": True}))
    done = command("stream", filtered, "--from", "lsl", "--stop-after-s", "0.1")
    assert (done.code, done.out) == (0, "")
    assert "acc: the run's data has downsample_hz of its schema" in done.err
    assert "distrusts scales" in done.err
    assert "lsl: 0 windows answered" in done.err
    assert '"open": []' in done.err


def test_what_does_not_fit_is_refused(command: Command, run: Path, walks: Path, tmp_path: Path):
    refused(command("stream", run), "replay takes a FILE")
    refused(command("stream", run, walks, "--from", "lsl"), "lsl and mqtt take none")
    refused(command("stream", run, tmp_path / "no"), "no such file")
    refused(command("stream", run, walks, "--offset", "wrist"), "--offset takes DEVICE=SECONDS")
    refused(command("stream", run, walks, "--offset", "wirst=1"), "Did you mean 'wrist'")
    refused(command("stream", run, walks, "--stride-s", "0"), "stride_s must be positive")
    refused(command("stream", run, "--from", "mqtt", "--broker", "here"), "HOST:PORT")
    refused(command("stream", run, "--from", "mqtt", "--ca", "ca.pem"), "Give --tls as well")
    refused(command("stream", run, "--from", "mqtt", "--password-file", "p"), "Give --user NAME")
    refused(command("stream", run, "--from", "mqtt", "--user", "ada"), "no password of the user")
    np.savez(tmp_path / "x.npz", acc=np.zeros((1, 80, 2)))
    refused(command("stream", run, tmp_path / "x.npz"), "only recordings can be replayed")
