"""What the tests share: a profile of hypothesis, windows with every kind of stream, a Ray."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from ray_stand_in import Ray

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci")

MIXED = (
    Modality("acc", channels=3, rate_hz=32.0, device="wrist"),
    Modality("age", static=True),
    Modality("ecg", channels=2, rate_hz=50.0, device="chest"),
    Modality("eda", rate_hz=4.0, device="wrist"),
    Modality("steps", device="phone"),
)
MIXED_S = 8.0


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """One thread: the networks are small, and test processes run side by side.

    Before any fixture that fits: on some machines two threads add up in another order.
    """
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _one_thread_again() -> Iterator[None]:
    """A test may set them."""
    yield
    torch.set_num_threads(1)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    """A stand-in for the package: what is imported as ``ray``, by the test and the code."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    made = Ray()
    monkeypatch.setitem(sys.modules, "ray", made)
    return made


@pytest.fixture
def mixed_windows() -> Callable[..., Windows]:
    """Make n windows of 8 s: regular, slow, irregular and static streams, with losses or without.

    With losses: single samples, whole channels and whole modalities are missing in some windows.
    """

    def make(n: int = 8, seed: int = 0, *, losses: bool = True) -> Windows:
        rng = np.random.default_rng(seed)
        regular = {
            m.name: rng.normal(3.0, 2.0, (n, int(MIXED_S * (m.rate_hz or 0)), m.channels))
            for m in MIXED
            if m.rate_hz
        }
        stamps = [np.sort(rng.uniform(0, MIXED_S, int(k))) for k in rng.integers(20, 60, n)]
        steps = [rng.exponential(1.0, (len(t), 1)) for t in stamps]
        age = rng.integers(20, 70, (n, 1, 1)).astype(float)
        if losses:
            for values in (*regular.values(), *steps):
                values[rng.random(values.shape) < 0.1] = np.nan
            regular["acc"][0, :, 1] = np.nan
            regular["acc"][1, 60:120] = np.nan
            regular["eda"][2] = np.nan
            steps[3][:] = np.nan
            age[4] = np.nan
        return Windows.from_arrays(
            regular | {"steps": steps, "age": age},
            MIXED,
            times={"steps": stamps},
            duration_s=MIXED_S,
            labels=np.arange(n) % 2,
            subjects=[f"s{i // 2}" for i in range(n)],
        )

    return make
