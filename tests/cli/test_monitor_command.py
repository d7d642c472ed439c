"""From a fit to sensors that are not believed: `monitor` and `predict --distrust`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from running import Command, refused

from maestro_ts import MaestroClassifier, MaestroRegressor, Modality, load

SENSORS = (Modality("acc", channels=3, rate_hz=16.0), Modality("eda", rate_hz=4.0))
N = 40


def arrays(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    move = (np.arange(N) % 2)[:, None, None]
    return {"acc": rng.normal(size=(N, 64, 3)) + move, "eda": rng.normal(size=(N, 16, 1)) - move}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clf = MaestroClassifier(SENSORS, recipe="tiny", settings={"training.epochs": 2}, random_state=0)
    clf.fit(arrays(0), np.arange(N) % 2, groups=np.repeat(list("abcde"), N // 5))
    out = tmp_path_factory.mktemp("run") / "run"
    clf.save(out)
    return out


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Three windows in which a sensor is stuck, one on another scale, two that are clipped."""
    X = arrays(1)
    X["eda"][:3] = 1.5
    X["acc"][7] *= 50
    X["acc"][10:12] = X["acc"][10:12].clip(-0.3, 0.3)
    path = tmp_path / "new.npz"
    np.savez(path, **X)
    return path


def test_faults_are_shown_and_written(
    run: Path, files: Path, tmp_path: Path, command: Command
) -> None:
    done = command("monitor", run, files, "--json", tmp_path / "m.json", "--no-progress")
    assert done.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if line.strip()}
    assert rows["sensor"][:3] == ["view", "people", "beyond"]  # the second table's
    assert "acc     37  0      2          1      0      0" in done.out
    assert "eda     37  3      0          0      0      0" in done.out
    assert "one new person in 6 is" in done.out.replace("\n", " ")
    told = json.loads((tmp_path / "m.json").read_text())
    assert [(f["sensor"], f["verdict"]) for f in told["faults"]] == [
        *[("eda", "stuck")] * 3,
        ("acc", "scale"),
        *[("acc", "saturated")] * 2,
    ]
    assert {d["view"] for d in told["drifts"]} == {"shape", "level", "spread"}


def test_distrusted_sensors_are_missing_in_the_prediction(
    run: Path, files: Path, tmp_path: Path, command: Command
) -> None:
    out, plain = tmp_path / "p.parquet", tmp_path / "plain.parquet"
    done = command("predict", run, files, "--out", out, "--distrust", "--no-progress")
    assert done.code == 0
    assert "distrusted: acc: 1 of 40 windows (1 scale)" in done.out + done.err
    assert "not distrusted: acc: 2 of 40 windows (2 saturated)" in done.out + done.err
    assert "distrusted: eda: 3 of 40 windows (3 stuck)" in done.out + done.err
    table = pq.read_table(out).to_pandas()
    assert table["verdict_eda"].tolist() == ["stuck"] * 3 + ["ok"] * 37
    assert (~table["present_eda"]).tolist() == [True] * 3 + [False] * 37
    assert table.index[~table["present_acc"]].tolist() == [7]
    assert table.index[table["verdict_acc"] == "saturated"].tolist() == [10, 11]

    X = {name: list(values) for name, values in np.load(files).items()}
    X["eda"][:3], X["acc"][7] = [None] * 3, None
    expected = load(run).predict_proba(X)
    np.testing.assert_allclose(table[["p_0", "p_1"]], expected, atol=1e-6)

    assert command("predict", run, files, "--out", plain, "--no-progress").code == 0
    before = pq.read_table(plain).to_pandas()
    assert before["present_eda"].all()
    assert "verdict_eda" not in before


def test_a_run_without_a_record_says_what_to_do(run: Path, files: Path, command: Command) -> None:
    record = run / "monitor.safetensors"
    kept = record.read_bytes()
    record.unlink()
    try:
        for words in (("monitor", run, files), ("predict", run, files, "--distrust")):
            refused(command(*words), "no record of what its sensors were like", "Fit it anew")
    finally:
        record.write_bytes(kept)


def test_a_model_without_symbols_keeps_no_record(tmp_path: Path) -> None:
    clf = MaestroClassifier(SENSORS, settings={"model_kind": "majority"}, random_state=0)
    clf.fit(arrays(0), np.arange(N) % 2)
    clf.save(tmp_path / "run")
    assert not (tmp_path / "run" / "monitor.safetensors").exists()


def test_a_regressor_monitors_too() -> None:
    reg = MaestroRegressor(SENSORS, recipe="tiny", settings={"training.epochs": 1}, random_state=0)
    reg.fit(arrays(0), np.arange(N) / N)
    X = arrays(0)
    X["eda"][4] = 0.0
    assert reg.monitor(X).told() == ["eda: 1 of 40 windows (1 stuck)"]
