"""One's own folder from the first look to predictions, and every command the guide shows."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from format_files import edf_bytes
from running import Command, refused

from maestro_ts.cli.main import main
from maestro_ts.evaluation.results import Results
from maestro_ts.experiments import main_job
from maestro_ts.signals.folder import parse_layout

PAGE = Path(__file__).parents[2] / "docs" / "your-data.md"
QUICK = ("--recipe", "tiny", "--set", "training.epochs=1", "--threads", "1", "--no-progress")
QUICK += ("--folds", "3", "--rates", "0")


@pytest.fixture(autouse=True)
def _stub_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        main_job, "write_report", lambda results, path, sensors: path.write_text("stub")
    )


def schemas_of_the_page() -> list[str]:
    found: list[str] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), flags=re.S)
    return found


def schema_of_the_page() -> str:
    return schemas_of_the_page()[0]


def files(
    folder: Path, subjects: tuple[str, ...] = ("S1", "S2", "S3"), *, labels: bool = True
) -> None:
    """Files as the page's schema describes them, 12 s a recording."""
    rows = ["recording,label"]
    for s, subject in enumerate(subjects):
        for k, label in enumerate(("run", "walk")):
            rng = np.random.default_rng(10 * s + k)
            place = folder / subject / f"{subject}-{k}"
            place.mkdir(parents=True)
            acc = rng.normal(0, 0.2 + k, (240, 3)).round(3)
            lines = [f"{50 * i},{x},{y},{z}" for i, (x, y, z) in enumerate(acc)]
            (place / "acc.csv").write_text("\n".join(["t,x,y,z", *lines, ""]))
            temp = [f"{33 + i % 7 / 10:.1f}" for i in range(48)]
            (place / "temp.csv").write_text("\n".join(["temp", *temp, ""]))
            rows.append(f"{subject}-{k},{label}")
    if labels:
        (folder / "recordings.csv").write_text("\n".join([*rows, ""]))


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "my-study"
    files(folder)
    (folder / "schema.yaml").write_text(schema_of_the_page())
    return folder


@pytest.fixture(scope="session")
def trained(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the study; copy it before changing it."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    before, write = sys.argv, main_job.write_report
    sys.argv = ["maestro-ts", "fit", str(study), "--out", str(folder), *QUICK]
    main_job.write_report = lambda results, path, sensors: path.write_text("stub")
    try:
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        sys.argv, main_job.write_report = before, write
    assert stop.value.code == 0
    return folder


# ---------------------------------------------------------------- the guide


def test_every_command_of_the_page_runs_in_its_order(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files(tmp_path / "my-study")
    files(tmp_path / "new-files", ("S9",), labels=False)
    shutil.copytree(tmp_path / "new-files", tmp_path / "other-device")
    other = schema_of_the_page().replace("acc:", "wrist_acc:", 1)
    (tmp_path / "other-device" / "schema.yaml").write_text(other)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), flags=re.S)
    lines = [line.split("#")[0].split() for block in blocks for line in block.splitlines()]
    assert len(lines) == 8
    for _, name, *words in lines:
        done = command(name, *words, *(QUICK if name == "fit" else ()))
        assert done.code == 0, (name, words, done.err)
        if name == "init":
            (tmp_path / "my-study" / "schema.yaml").write_text(schema_of_the_page())
    assert (tmp_path / "look.html").exists()
    assert (tmp_path / "predictions.parquet").exists()
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.S)
    names: dict = {}
    exec(compile(code, PAGE.name, "exec"), names)
    assert names["timeline"].hours(known=True) == pytest.approx(24 / 3600)
    assert len(names["curve"]) == 99
    assert {p.stem for p in tmp_path.glob("*.parquet")} >= {"timeline", "events", "walks"}


# ------------------------------------------------------------- init and inspect


def test_init_tells_what_it_understood_and_guessed_and_overwrites_nothing(
    tmp_path: Path, command: Command
) -> None:
    files(tmp_path / "a")
    done = command("init", tmp_path / "a")
    assert done.code == 0
    for word in ("Understood:", "Guessed, please check:", "Only you know:", "rate_hz of temp"):
        assert word in done.out
    target = tmp_path / "a" / "schema.yaml"
    assert yaml.safe_load(target.read_text())["modalities"]["acc"]["rate_hz"] == 20
    target.write_text("mine")
    refused(command("init", tmp_path / "a"), "there is a schema already", "--overwrite")
    assert target.read_text() == "mine"
    assert command("init", tmp_path / "a", "--overwrite").code == 0
    assert target.read_text() != "mine"
    refused(command("init", tmp_path / "no"), "no such file or folder")


def test_inspect_shows_what_is_there_and_what_is_wrong(
    study: Path, tmp_path: Path, command: Command
) -> None:
    folder = Path(shutil.copytree(study, tmp_path / "my-study"))
    for k in (0, 1):
        (folder / "S3" / f"S3-{k}" / "temp.csv").write_text("temp\n" + "382\n" * 48)
    (folder / "S1" / "S1-0" / "acc.csv").write_text("t,x,y,z\n0,1,2,high\n")
    (folder / "more.csv").write_text("a\n1\n")
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    done = command("inspect", folder, "--no-progress")
    assert done.code == 0
    for word in (
        *("5 recordings of 3 subjects", "my-study", "20 Hz", "33 to 382 degC", "run", "walk"),
        *("impossible", "the farthest 382", "constant", "S1/S1-0/acc.csv:2: 'high'", "more.csv"),
    ):
        assert word in done.out
    told = json.loads(command("inspect", folder, "--json", "--no-progress").out)
    assert {f["kind"] for f in told["findings"]} == {"impossible", "constant"}
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_inspect_takes_a_data_set_and_refuses_what_is_neither(
    tmp_path: Path, command: Command
) -> None:
    refused(command("inspect", "umafal"), "'umafal'", "'umafall'")
    refused(command("inspect", "umafall", "--data", tmp_path / "no"), "no such file or folder")
    refused(command("inspect", tmp_path), "the folder is empty")


# -------------------------------------------------------------- fit and evaluate


def test_a_fit_on_a_folder_tells_where_it_came_from(trained: Path, study: Path) -> None:
    about = Results.load(trained / "results.json").about
    assert about["dataset"] == "my-study"
    assert about["source"] == str(study)
    assert about["windows"] == {"duration_s": 4.0, "step_s": 4.0}
    stored = json.loads((trained / "schema.json").read_text())
    assert stored["layout"]["modalities"]["acc"]["rate_hz"] == 20


def test_a_run_keeps_how_its_windows_were_cut(
    study: Path, tmp_path: Path, command: Command
) -> None:
    """What the schema says of the windows holds where the command says nothing."""
    rule = "{duration_s: 4, step_s: 4, label_rule: majority, purity: 0.8}"
    folder = changed(study, tmp_path / "study", "{duration_s: 4, step_s: 4}", rule)
    run, table = tmp_path / "run", tmp_path / "p.parquet"
    words = ("--window-s", 5, "--min-inside", 0.4, "--min-coverage", 0.3)
    done = command("fit", folder, "--out", run, *words, *QUICK)
    assert done.code == 0, done.err
    assert Results.load(run / "results.json").about["windows"] == {
        "duration_s": 5.0,
        "step_s": None,
        "label_rule": "majority",
        "purity": 0.8,
        "min_inside": 0.4,
        "min_coverage": 0.3,
    }
    assert command("predict", run, study, "--out", table, "--no-progress").code == 0
    assert pq.read_table(table).to_pandas().start_s.tolist()[:3] == [0, 5, 10]
    assert command("evaluate", run, "--rates", "0", "--no-progress").code == 0
    again = ("--out", tmp_path / "no", "--no-progress")
    refused(command("fit", study, "--label-rule", "most", *again), "'most' is none", "'majority'")
    refused(command("fit", study, "--purity", "0.8", *again), "purity is given with label_rule")


def test_a_run_on_a_folder_is_evaluated_where_the_folder_is_now(
    trained: Path, study: Path, tmp_path: Path, command: Command
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    moved = Path(shutil.copytree(study, tmp_path / "moved"))
    words = ("--rates", "0", "--no-progress")
    assert command("evaluate", run, *words).code == 0
    assert command("evaluate", run, "--data", moved, *words).code == 0
    (moved / "schema.yaml").unlink()
    refused(command("evaluate", run, "--data", moved, *words), "no schema.yaml", "maestro-ts init")


def test_a_fit_refuses_a_folder_without_labels_or_with_data(
    tmp_path: Path, study: Path, command: Command
) -> None:
    files(tmp_path / "new", labels=False)
    tree = yaml.safe_load(schema_of_the_page())
    del tree["labels"]
    (tmp_path / "new" / "schema.yaml").write_text(yaml.safe_dump(tree))
    out = ("--out", tmp_path / "run", *QUICK)
    refused(command("fit", tmp_path / "new", *out), "no recording has a label", "new")
    refused(command("fit", study, "--data", study, *out), "--data is given with the folder")
    assert not (tmp_path / "run").exists()


# ----------------------------------------------------------------------- predict


def changed(study: Path, target: Path, old: str, new: str) -> Path:
    """The study with another text in its schema."""
    folder = Path(shutil.copytree(study, target))
    text = (folder / "schema.yaml").read_text()
    assert old in text
    (folder / "schema.yaml").write_text(text.replace(old, new))
    return folder


def test_predict_cuts_all_of_every_recording_with_or_without_labels(
    trained: Path, study: Path, tmp_path: Path, command: Command
) -> None:
    bare = Path(shutil.copytree(study, tmp_path / "bare"))
    (bare / "schema.yaml").unlink()
    (bare / "recordings.csv").unlink()
    tables = []
    for i, source in enumerate((study, bare)):
        out = tmp_path / f"{i}.parquet"
        done = command("predict", trained, source, "--out", out, "--no-progress")
        assert done.code == 0
        assert "18 windows" in done.out
        tables.append(pq.read_table(out).to_pandas())
    assert tables[0].equals(tables[1])
    assert tables[0].start_s.tolist()[:3] == [0, 4, 8]
    assert tables[0].subject.tolist()[:6] == ["S1"] * 6
    tested = pq.read_table(trained / "predictions.parquet").to_pandas()
    tested = tested[tested.pattern == "acc+temp"]
    mine = tables[0][tables[0].subject.isin(set(tested.subject))]
    np.testing.assert_allclose(mine.p_run, tested.p_run, rtol=1e-4)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("  acc:", "  wrist_acc:", ("unknown modality 'wrist_acc'", "'acc'")),
        ("rate_hz: 20", "rate_hz: 50", ("'acc'", "rate 50.0 Hz", "20.0 Hz")),
        ("[x, y, z]", "[x, y]", ("'acc'", "2 channels", "3")),
    ],
)
def test_predict_refuses_by_name_what_the_model_does_not_know(
    old: str,
    new: str,
    parts: tuple[str, ...],
    trained: Path,
    study: Path,
    tmp_path: Path,
    command: Command,
) -> None:
    folder = changed(study, tmp_path / "new", old, new)
    out = tmp_path / "p.parquet"
    refused(command("predict", trained, folder, "--out", out, "--no-progress"), *parts)
    assert not out.exists()


def test_predict_renames_what_the_input_calls_otherwise(
    trained: Path, study: Path, tmp_path: Path, command: Command
) -> None:
    folder = changed(study, tmp_path / "new", "  acc:", "  wrist_acc:")
    out = ("--out", tmp_path / "p.parquet", "--no-progress")
    assert command("predict", trained, folder, *out, "--map", "wrist_acc=acc").code == 0
    assert pq.read_table(tmp_path / "p.parquet").to_pandas().present_acc.all()
    refused(command("predict", trained, folder, *out, "--map", "acc=acc"), "no modality 'acc'")
    refused(command("predict", trained, folder, *out, "--map", "acc"), "--map takes INPUT=MODEL")
    np.savez(tmp_path / "x.npz", wrist=np.zeros((2, 80, 3)))
    assert command("predict", trained, tmp_path / "x.npz", *out, "--map", "wrist=acc").code == 0


# ------------------------------------------------------------- other formats


def test_the_page_s_modalities_of_other_formats_are_known() -> None:
    _, text = schemas_of_the_page()
    layout = parse_layout("format: 1\n" + text, "docs/your-data.md")
    formats = [m.file_format for m in layout.modalities.values()]
    assert formats == ["edf", "xdf", "hdf5"]


def test_edf_files_from_the_draft_to_predictions(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "sleep"
    folder.mkdir()
    rows = ["recording,label"]
    for s in range(3):
        for k, label in enumerate(("deep", "rem")):
            rng = np.random.default_rng(10 * s + k)
            signals = {
                "EEG Fpz-Cz": (rng.normal(0, 5 + 15 * k, 1000).clip(-99, 99), 50),
                "EEG Pz-Oz": (rng.normal(0, 5 + 15 * k, 1000).clip(-99, 99), 50),
                "Temp": (rng.normal(36, 0.1, 20), 1),
            }
            (folder / f"S{s}_night{k}.edf").write_bytes(edf_bytes(signals))
            rows.append(f"S{s}/night{k},{label}")
    (folder / "recordings.csv").write_text("\n".join([*rows, ""]))
    done = command("init", folder)
    assert done.code == 0, done.err
    assert "eeg: 50 Hz, as S0_night0.edf states it" in done.out
    done = command("inspect", folder)
    assert done.code == 0, done.err
    assert "6 recordings of 3 subjects" in done.out
    run = tmp_path / "run"
    done = command("fit", folder, "--out", run, *QUICK)
    assert done.code == 0, done.err
    (folder / "recordings.csv").unlink()
    done = command("predict", run, folder, "--out", tmp_path / "p.parquet")
    assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "p.parquet").to_pandas().present_eeg.all()
