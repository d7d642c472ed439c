from __future__ import annotations

from pathlib import Path

import pytest

from maestro_ts.errors import ConfigError
from maestro_ts.experiments.sensor_costs import read_costs


def test_costs_and_their_unit(tmp_path: Path) -> None:
    file = tmp_path / "costs.yaml"
    file.write_text("unit: mW\ncosts:\n  ankle: 12\n  wrist: 7.5\n  2: 0\n")
    assert read_costs(file) == ({"ankle": 12.0, "wrist": 7.5, "2": 0.0}, "mW")
    file.write_text("costs: {ankle: 1}")
    assert read_costs(file) == ({"ankle": 1.0}, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ankle: 12", "no costs"),
        ("costs: [1, 2]", "no costs"),
        ("- 1", "no costs"),
        ("", "no costs"),
        ("units: mW\ncosts: {a: 1}", "unknown key 'units'"),
        ("costs: {ankle: dear}", "ankle: 'dear' is no number"),
        ("costs: {ankle: yes}", "ankle: True is no number"),
        ("costs: {ankle:", "cannot be read"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "costs.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_costs(file)
    assert str(file) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_costs(tmp_path / "costs.yaml")
