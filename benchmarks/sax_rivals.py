"""SAX by other packages, in an environment of their own: seconds of one round per line asked for.

``python benchmarks/sax_rivals.py pyts 256``, then a line on standard input for every round; the
first answer is the package's version, the others are seconds. Started by ``benchmarks/symbols.py``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

WINDOWS, CHANNELS, WORDS, ALPHABET = 64, 14, 128, 20


def by_pyts(x: np.ndarray) -> Callable[[], object]:
    """Every window and channel a row, as pyts wants it; the rearranging is not timed."""
    from pyts.approximation import PiecewiseAggregateApproximation, SymbolicAggregateApproximation
    from pyts.preprocessing import StandardScaler

    rows = np.ascontiguousarray(x.transpose(0, 2, 1)).reshape(-1, x.shape[1])
    means = PiecewiseAggregateApproximation(window_size=None, output_size=WORDS)
    letters = SymbolicAggregateApproximation(
        n_bins=ALPHABET, strategy="normal", alphabet="ordinal", raise_warning=False
    )
    return lambda: letters.transform(means.transform(StandardScaler().fit_transform(rows)))


def by_aeon(x: np.ndarray) -> Callable[[], object]:
    """Windows of several channels, as aeon wants them; the rearranging is not timed."""
    from aeon.transformations.collection.dictionary_based import SAX

    series = np.ascontiguousarray(x.transpose(0, 2, 1))
    sax = SAX(n_segments=WORDS, alphabet_size=ALPHABET)
    return lambda: sax.fit_transform(series)


RIVALS = {"pyts": by_pyts, "aeon": by_aeon}


def main() -> None:
    """Answer every line with the seconds of one round."""
    name, length = sys.argv[1], int(sys.argv[2])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(WINDOWS, length, CHANNELS)).astype(np.float32)
    run = RIVALS[name](x)
    print(version(name), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
