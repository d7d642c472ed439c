"""Our shape view and alphabet against the SAX words of two other implementations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.bins import bin_samples
from maestro_ts.symbols.symbolizer import Symbolizer
from maestro_ts.symbols.views import shape_view

TABLES = json.loads((Path(__file__).parents[1] / "golden" / "sax.json").read_text())
SERIES = {row["name"]: row for row in TABLES["series"]}


def as_window(row: dict) -> Windows:
    return Windows.from_arrays(np.array([row["values"]]) * 2.0 ** row["exponent"])


def words(package: str, row: dict) -> np.ndarray:
    """Symbols from 1, shape (alphabets, segments)."""
    return np.array([[ord(letter) - ord("a") + 1 for letter in word] for word in row[package]])


def our_words(row: dict) -> np.ndarray:
    window = as_window(row)
    found = []
    for alphabet in TABLES["alphabets"]:
        settings = SymbolSettings(
            tokens=row["segments"], alphabet=alphabet, views=("shape",), summary=False
        )
        found.append(Symbolizer(settings).fit(window)(window)["x"].tokens[0, :, 0, 0])
    return np.array(found)


def on_a_breakpoint(row: dict) -> np.ndarray:
    """Which values of z are a breakpoint up to rounding, shape (alphabets, segments)."""
    window = as_window(row)
    binned = bin_samples(window.samples["x"], window.duration_s, row["segments"])
    z = shape_view(binned, np.zeros(1))[0, :, 0]
    cuts = [Symbolizer(SymbolSettings(alphabet=a)).cuts for a in TABLES["alphabets"]]
    return np.array([np.abs(z[:, None] - c).min(axis=1) < 1e-9 for c in cuts])


@pytest.mark.parametrize("name", SERIES)
def test_every_word_is_that_of_pyts(name):
    row = SERIES[name]
    np.testing.assert_array_equal(our_words(row), words("pyts", row))


@pytest.mark.parametrize("name", SERIES)
def test_every_word_is_that_of_tslearn_except_exactly_on_a_breakpoint(name):
    row = SERIES[name]
    ours, theirs, tie = our_words(row), words("tslearn", row), on_a_breakpoint(row)
    np.testing.assert_array_equal(ours[~tie], theirs[~tie])
    # On a breakpoint tslearn takes the upper symbol.
    np.testing.assert_array_equal(ours[tie] + 1, theirs[tie])


def test_the_tables_hold_ties_and_mostly_other_values():
    ties = np.concatenate([on_a_breakpoint(row).ravel() for row in SERIES.values()])
    assert len(ties) > 15_000
    assert 0 < ties.mean() < 0.1
