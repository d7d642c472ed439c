"""The head of the page: honest numbers, and every detail whatever its key."""

from dataclasses import replace

from maestro_ts.evaluation.results import Results
from maestro_ts.report.header import details, headlines, notes, page_title, summary
from maestro_ts.report.wording import (
    condition_label,
    label_height,
    percent,
    plain,
    shortened,
    wrapped,
)


def test_headlines_with_interval(few: Results) -> None:
    accuracy, f1 = headlines(few)
    assert (accuracy.value, f1.value) == ("0.930", "0.900")
    assert f1.note == "95 % interval by subject: 0.840–0.950"


def test_headlines_of_drawn_rates_are_those_without_absence(many: Results) -> None:
    assert headlines(many)[1].value == "0.850"


def test_one_subject_has_no_interval(few: Results) -> None:
    lone = replace(few, subjects=few.subjects[:1])
    assert {h.note for h in headlines(lone)} == {"one test subject: no interval"}


def test_windows_with_natural_gaps_are_told_apart(few: Results) -> None:
    row = few.scores[0] | {"complete": {"n": 200, "accuracy": 0.99, "macro_f1": 0.97}}
    (*_, third) = headlines(replace(few, scores=[row]))
    assert third.value == "0.970"
    assert "200 of 1,234 windows" in third.note


def test_no_scores_no_headlines() -> None:
    assert headlines(Results(about={}, classes=[], modalities=[])) == []


def test_summary(few: Results, least: Results) -> None:
    assert summary(few) == (
        "Recipe default, trained on 8,231 windows and 1,020 for validation, "
        "tested on 1,234 windows of 3 subjects. 2 modalities, 4 classes."
    )
    assert summary(least) == "1 modality, 2 classes."


def test_title_and_notes(few: Results, least: Results) -> None:
    assert page_title(few) == "Made-up movements"
    assert page_title(least) == "tiny"
    assert notes(few) == few.about["notes"]
    assert notes(least) == []


def test_details_know_every_key(few: Results) -> None:
    about = few.about | {
        "odd_key": [1, "two"],
        "nothing": None,
        "cross_validated": False,
        "deep": {"a": {f"b{i}": i for i in range(9)}, "c": [1, 2]},
    }
    rows = {d.label: d for d in details(replace(few, about=about))}
    assert rows["Odd key"].text == "1, two"
    assert rows["Training windows"].text == "8,231"
    assert rows["Seed"].text == "20240101"
    assert rows["Versions"].text == "maestro-ts 0.1.0, torch 2.9.0"
    assert rows["Cross validated"].text == "no"
    assert rows["Deep"].folded[-1] == ("c", "1, 2")
    assert ("a.b3", "3") in rows["Deep"].folded
    assert not {"Nothing", "Notes", "Rivals", "Title"} & set(rows)


def test_wording() -> None:
    assert plain("<b>&") == "&lt;b&gt;&amp;"
    assert wrapped("one two three", 7) == "one two<br>three"
    assert wrapped("") == " "
    assert wrapped("a b c d e", 1, lines=2).count("<br>") == 1
    assert shortened("abcdefgh", 5) == "abcd…"
    assert [percent(v) for v in (0.4, 0.125, 0.0)] == ["40 %", "12.5 %", "0 %"]
    assert label_height(["short"]) < label_height(["a label of quite some more words than that"])


def test_condition_labels() -> None:
    full = {"mode": "pattern", "rate": 0.0, "pattern": ["a", "b"]}
    assert condition_label(full, 2) == "everything present"
    assert condition_label(full, 3) == "only a + b"
    drawn = {"mode": "points", "rate": 0.3, "pattern": []}
    assert condition_label(drawn, 3) == "30 %: single samples missing"
    assert condition_label(drawn | {"rate": 0.0}, 3) == "everything present"
