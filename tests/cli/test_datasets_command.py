from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import Command, refused

from maestro_ts.signals.datasets import DATASETS, card

MEMBERS = {
    "Outcomes-a.txt": "RecordID,In-hospital_death\n1,0\n2,1\n3,0\n",
    **{
        f"set-a/{i}.txt": f"Time,Parameter,Value\n00:00,RecordID,{i}\n00:00,Age,54\n"
        f"00:00,Gender,{i % 2}\n00:00,Height,-1\n00:00,ICUType,4\n00:00,Weight,-1\n{rows}"
        for i, rows in ((1, "00:07,HR,73\n"), (2, "00:07,HR,73\n00:08,pH,7.4\n"), (3, "x,y\n"))
    },
}


@pytest.fixture
def stays(tmp_path: Path) -> Path:
    """Two stays of PhysioNet 2012 and a damaged one, unpacked."""
    for name, text in MEMBERS.items():
        path = tmp_path / "data" / "physionet2012" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "data" / "physionet2012"


@pytest.fixture(autouse=True)
def _no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAESTRO_TS_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


def row(out: str, name: str) -> str:
    (line,) = [line for line in out.splitlines() if line.split("  ")[0].strip() == name]
    return line


# ------------------------------------------------------------------------ list


def test_the_list_has_every_data_set(command: Command) -> None:
    done = command("datasets", "list")
    assert done.code == 0
    for name in DATASETS:
        assert card(name).task in row(done.out, name)
    assert "MAESTRO_TS_DATA" in done.out


def test_the_list_says_what_kinds_of_streams_there_are(command: Command) -> None:
    out = command("datasets", "list").out
    assert "  irregular, static  " in row(out, "physionet2012")
    assert "  50/30 Hz  " in row(out, "utd-mhad")
    assert "irregular" not in row(out, "umafall")


def test_the_list_says_whose_data_is_here(
    command: Command, stays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stays.parent / "umafall.zip").write_bytes(b"PK")
    done = command("datasets", "list", "--data", stays.parent)
    assert "  umafall.zip  " in row(done.out, "umafall")
    assert "  physionet2012  " in row(done.out, "physionet2012")
    assert "  -  " in row(done.out, "utd-mhad")
    assert str(stays.parent) in done.out
    monkeypatch.setenv("MAESTRO_TS_DATA", str(stays.parent))
    assert command("datasets", "list").out == done.out
    monkeypatch.setenv("MAESTRO_TS_DATA", str(stays.parent / "elsewhere"))
    elsewhere = command("datasets", "list")
    assert elsewhere.code == 0
    assert "  -  " in row(elsewhere.out, "umafall")


def test_data_that_a_package_carries(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "maestro_ts.signals.datasets.local.find_spec"
    monkeypatch.setattr(module, lambda name: object())
    assert "  package seglearn  " in row(command("datasets", "list").out, "watch")
    monkeypatch.setattr(module, lambda name: None)
    assert "  -  " in row(command("datasets", "list").out, "watch")


# ------------------------------------------------------------------------ info


@pytest.mark.parametrize("name", list(DATASETS))
def test_the_card_of_a_data_set(name: str, command: Command) -> None:
    done = command("datasets", "info", name)
    assert done.code == 0
    for word in ("licence", "citation", "how to get", "modality", "run on real data"):
        assert word in done.out
    assert "Read:" not in done.out


@pytest.mark.parametrize("name", list(DATASETS))
def test_the_card_as_json(name: str, command: Command) -> None:
    content = json.loads(command("datasets", "info", name, "--json").out)
    assert set(content) == {"card"}
    expected = card(name)
    assert content["card"]["name"] == name
    assert content["card"]["classes"] == list(expected.classes)
    assert [m["name"] for m in content["card"]["schema"]] == list(expected.schema.names)
    assert content["card"]["windows"]["duration_s"] == expected.windows.duration_s
    assert content["card"]["quirks"] == list(expected.quirks)


def test_what_reading_gives_as_json(command: Command, stays: Path) -> None:
    done = command("datasets", "info", "physionet2012", "--data", stays, "--json")
    assert done.code == 0
    content = json.loads(done.out)
    assert content["card"]["name"] == "physionet2012"
    assert (content["recordings"], content["subjects"]) == (2, 2)
    assert content["refused"] == [
        {"where": "set-a/3.txt:8", "why": "2 columns, 3 expected."},
    ]
    assert set(content["modalities"]) == set(card("physionet2012").schema.names)
    assert {name: n for name, n in content["modalities"].items() if n} == {
        **{"Age": 2, "Gender": 2, "ICUType": 2, "HR": 2, "pH": 1},
    }
    assert content["labels"] == {"survived": 1, "died": 1}


def test_what_reading_gives_as_text(command: Command, stays: Path) -> None:
    done = command("datasets", "info", "physionet2012", "--data", stays)
    assert done.code == 0
    assert "how to get" in done.out
    assert "Read: 2 recordings of 2 subjects." in done.out
    counted = done.out.split("Read:")[1]
    assert row(counted, "pH").split() == ["pH", "1"]
    assert row(counted, "Lactate").split() == ["Lactate", "0"]
    assert row(counted, "survived").split() == ["survived", "1"]
    assert "- set-a/3.txt:8: 2 columns, 3 expected." in done.out


def test_what_cannot_be_read_is_one_message(command: Command, tmp_path: Path) -> None:
    done = command("datasets", "info", "utd-mhad", "--data", tmp_path / "no.zip", "--json")
    refused(done, "no.zip", "no such file")
    refused(command("datasets", "info", "wacht", "--json"), "'wacht'", "Did you mean 'watch'?")
