"""Write ``sax.json``: SAX words by tslearn and pyts, for tests/symbols/test_oracles.py.

Run by ``make oracles`` in an environment of its own; neither package is needed by the tests. Values
are whole numbers times a power of two, so that float32 and float64 hold them exactly.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pyts.approximation import PiecewiseAggregateApproximation
from pyts.approximation import SymbolicAggregateApproximation as PytsSax
from pyts.preprocessing import StandardScaler
from tslearn.piecewise import SymbolicAggregateApproximation as TslearnSax
from tslearn.preprocessing import TimeSeriesScalerMeanVariance

ALPHABETS = range(4, 21)
SHAPES = ((8, 4), (24, 6), (60, 20), (64, 16), (96, 8), (128, 32))  # samples, segments
LETTERS = "abcdefghijklmnopqrst"


def series(n: int, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, int]]:
    """Whole numbers and the exponent of two they are multiplied with, by name."""
    t = np.arange(n)
    spike = np.zeros(n)
    spike[n // 3] = 1000
    return {
        "normal": (rng.normal(0, 64, n), -6),
        "skewed": (rng.exponential(64, n), -6),
        "walk": (np.cumsum(rng.normal(0, 8, n)), -3),
        "few values": (rng.integers(-2, 3, n), 0),
        "ramp": (t, 0),
        "square": (t // (n // 4) % 2, 0),
        "alternating": (t % 2, 0),
        "sine": (np.sin(2 * np.pi * t / n) * 512, -9),
        "spike": (spike, 0),
        "two levels": (np.where(rng.random(n) < 0.1, 900, 0), -2),
        "constant": (np.full(n, 37), 0),
        "large offset": (100_000 + rng.normal(0, 64, n), 0),
        "tiny": (rng.normal(0, 64, n), -90),
        "huge": (rng.normal(0, 64, n), 90),
    }


def word(symbols: np.ndarray) -> str:
    """Symbol numbers from 0 as letters."""
    return "".join(LETTERS[int(s)] for s in symbols)


def by_pyts(x: np.ndarray, segments: int, alphabet: int) -> str:
    z = StandardScaler().fit_transform(x[None])
    paa = PiecewiseAggregateApproximation(window_size=len(x) // segments).transform(z)
    sax = PytsSax(n_bins=alphabet, strategy="normal", alphabet="ordinal", raise_warning=False)
    return word(sax.transform(paa)[0])


def by_tslearn(x: np.ndarray, segments: int, alphabet: int) -> str:
    z = TimeSeriesScalerMeanVariance().fit_transform(x[None, :, None])
    sax = TslearnSax(n_segments=segments, alphabet_size_avg=alphabet, scale=False)
    return word(sax.fit_transform(z)[0, :, 0])


def main() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for n, segments in SHAPES:
        for name, (values, exponent) in series(n, rng).items():
            whole = np.round(values).astype(int)
            x = whole * 2.0**exponent
            rows.append(
                {
                    "name": f"{name}, {n} samples in {segments} segments",
                    "segments": segments,
                    "exponent": exponent,
                    "values": whole.tolist(),
                    "pyts": [by_pyts(x, segments, a) for a in ALPHABETS],
                    "tslearn": [by_tslearn(x, segments, a) for a in ALPHABETS],
                }
            )
    packages = ("numpy", "scipy", "pyts", "tslearn")
    head = {"python": platform.python_version()} | {p: version(p) for p in packages}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    path = Path(__file__).with_name("sax.json")
    path.write_text(
        f'{{"made_with": {json.dumps(head)},\n"alphabets": {json.dumps(list(ALPHABETS))},\n'
        f'"series": [\n{lines}\n]}}\n'
    )
    print(f"{path.name}: {len(rows)} series, {path.stat().st_size / 1000:.0f} kB, {head}")  # noqa: T201


if __name__ == "__main__":
    main()
