"""A few segments of DSADS in the owners' layout: 125 rows of 45 numbers, no header."""

from __future__ import annotations

from functools import cache

import numpy as np


def dsads_values(activity: int, subject: int, segment: int) -> np.ndarray:
    """Rows as they are written: five significant digits; gravity on x of each unit's acc."""
    rng = np.random.default_rng([activity, subject, segment])
    values = rng.normal(0, 0.5, (125, 45))
    values[:, ::9] += 9.81
    return np.array([[float(f"{v:.5g}") for v in row] for row in values])


def dsads_file(values: np.ndarray) -> bytes:
    return "".join(",".join(f"{v:.5g}" for v in row) + "\n" for row in values).encode()


def dsads_name(activity: int, subject: int, segment: int) -> str:
    return f"data/a{activity:02d}/p{subject}/s{segment:02d}.txt"


@cache
def _file(activity: int, subject: int, segment: int) -> bytes:
    return dsads_file(dsads_values(activity, subject, segment))


def dsads_set() -> dict[str, bytes]:
    """Two segments each of sitting, running and basketball, by three subjects."""
    return {
        dsads_name(a, p, s): _file(a, p, s) for a in (1, 12, 19) for p in (1, 2, 8) for s in (1, 60)
    }
