"""The command on tiny data."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from maestro_ts.cli.main import main
from maestro_ts.experiments import cell_work

WORDS = ("--dataset", "watch", "--recipe", "tiny", "--models", "maestro", "--no-progress")
FAST = ("--set", "training.epochs=1", "--set", "augmentation.max_windows=0")


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["maestro-ts", "experiment", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_it_computes_shows_goes_on_and_verifies(tiny_data, tmp_path, monkeypatch, capsys) -> None:
    out = tmp_path / "out"
    words = ("full-modality", *WORDS, *FAST, "--data", tiny_data, "--out", out, "--folds", "0,1")
    assert run(monkeypatch, *words) == 0
    shown = capsys.readouterr()
    assert "Macro-F1, everything present" in shown.out
    assert str(out / "watch") in shown.out
    assert "maestro, fold 1, seed 0" in shown.err
    assert run(monkeypatch, *words) == 0
    assert "2 of 2 cells are finished already" in capsys.readouterr().err
    assert run(monkeypatch, *words, "--verify") == 0
    assert "identical" in capsys.readouterr().out


def test_a_failed_cell_is_told_and_the_exit_code_says_so(
    tiny_data, tmp_path, monkeypatch, capsys
) -> None:
    whole = cell_work._compute

    def compute(task: cell_work.Task) -> None:
        if task.cell.entrant == "maestro-plain":
            raise ValueError("out of luck")
        whole(task)

    monkeypatch.setattr(cell_work, "_compute", compute)
    words = ("full-modality", *WORDS[:4], "--models", "maestro,maestro-plain", *FAST)
    words += ("--data", tiny_data, "--out", tmp_path, "--budget", "quick")
    assert run(monkeypatch, *words) == 1
    assert "maestro-plain, fold 0, seed 0: ValueError: out of luck" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("missingnes",), "missingness"),
        (("missingness", "--seeds", "a"), "--seeds takes whole numbers"),
        (("missingness", "--folds", ""), "--folds takes whole numbers"),
        (("missingness", "--budget", "huge"), "Use quick or full"),
        (("missingness", "--verify"), "no cell is finished"),
    ],
)
def test_what_cannot_be_is_one_clear_message(
    words, said, tiny_data, tmp_path, monkeypatch, capsys
) -> None:
    more = ("--data", tiny_data, "--out", tmp_path)
    assert run(monkeypatch, words[0], *WORDS, *words[1:], *more) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_archives_are_found_in_the_folder_of_the_environment(monkeypatch, tmp_path: Path) -> None:
    from maestro_ts.cli.experiment import _archive

    monkeypatch.setenv("MAESTRO_TS_DATA", str(tmp_path))
    assert _archive("umafall") is None
    (tmp_path / "umafall.zip").write_bytes(b"")
    assert _archive("umafall") == tmp_path / "umafall.zip"
    assert _archive("watch") is None


def test_a_look_tells_where_its_page_is_and_has_nothing_to_verify(
    tiny_data, tmp_path, monkeypatch, capsys
) -> None:
    words = ("attention-map", *WORDS, *FAST, "--data", tiny_data, "--out", tmp_path)
    words += ("--folds", "0")
    assert run(monkeypatch, *words) == 0
    shown = capsys.readouterr().out
    assert "Accuracy on the windows of the maps" in shown
    assert str(tmp_path / "watch" / "attention-map.*") in shown
    assert run(monkeypatch, *words, "--verify") == 2
    assert "no cells to verify" in capsys.readouterr().err


def test_a_model_that_failed_is_told_beside_what_was_found(
    tiny_data, tmp_path, monkeypatch, capsys
) -> None:
    from maestro_ts.experiments import fitted_run, look_job

    def fit(task: cell_work.Task) -> cell_work.Done:
        if task.cell.fold == 1:
            return cell_work.Done(task, failure="out of luck")
        return fitted_run.fit_run(task)

    monkeypatch.setattr(look_job, "fit_run", fit)
    words = ("latents", *WORDS, *FAST, "--data", tiny_data, "--out", tmp_path, "--folds", "0,1")
    assert run(monkeypatch, *words) == 1
    assert "maestro, fold 1, seed 0: out of luck" in capsys.readouterr().err
    assert "Left out: maestro, fold 1" in (tmp_path / "watch" / "latents.md").read_text()
