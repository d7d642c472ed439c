"""Requests that are answered together get what they would get alone."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from maestro_ts.deploy.service.batching import MOST, Batcher
from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.signals.recording import Recording, Stream
from maestro_ts.signals.windows import Windows


def windows_of(run: ServedRun, seed: int, *, timed: bool = False) -> Windows:
    """Two windows; who is there differs by the seed."""
    rng = np.random.default_rng(seed)
    times = np.arange(128) / 16 + rng.uniform(0, 0.02, 128) if timed else None
    acc = Stream(rng.normal(size=(128, 3)).astype(np.float32), 16.0, times)
    eda = Stream(rng.normal(size=(32, 1)).astype(np.float32), 4.0)
    streams = {"acc": acc, "eda": eda}
    off = [(), ("acc",), ("eda",), ("acc", "eda")][seed % 4]
    return run.windows([Recording(streams, "S", f"r{seed}", duration_s=8.0)], off)


class Held:
    """A model that waits until it is let go, and remembers what it was asked."""

    def __init__(self, run: ServedRun) -> None:
        self.run, self.free, self.asked = run, threading.Event(), list[Windows]()

    def __call__(self, windows: Windows) -> Prediction:
        assert self.free.wait(20)
        self.asked.append(windows)
        if (windows.sources == "r13").any():
            raise ValueError("r13")
        return self.run.model.explain(windows)


def test_windows_of_several_requests_are_one_batch_with_the_answers_of_each(run: ServedRun) -> None:
    held, told = Held(run), []
    batcher = Batcher(held, lambda requests, windows: told.append((requests, windows)))
    given = [windows_of(run, seed) for seed in range(9)]
    found = [batcher.submit(w) for w in given]
    held.free.set()
    for windows, answer in zip(given, found, strict=True):
        alone, together = run.model.explain(windows), answer.result(20)
        np.testing.assert_allclose(together.logits, alone.logits, rtol=0, atol=1e-5)
        np.testing.assert_allclose(together.budgets, alone.budgets, rtol=0, atol=1e-5)
    batcher.close()
    assert sum(requests for requests, _ in told) == 9
    assert max(requests for requests, _ in told) >= 8


def test_every_request_has_the_temperatures_of_its_own_windows(run: ServedRun) -> None:
    def calibrated(windows: Windows) -> Prediction:
        hot = 1.0 + windows.present.sum(axis=1)
        return replace(run.model.explain(windows), temperature=hot)

    batcher = Batcher(calibrated)
    given = [windows_of(run, seed) for seed in range(9)]
    found = [batcher.submit(w) for w in given]
    for windows, answer in zip(given, found, strict=True):
        alone, together = calibrated(windows), answer.result(20)
        np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-5)
    batcher.close()


def test_streams_with_times_are_not_joined_with_regular_ones(run: ServedRun) -> None:
    held = Held(run)
    batcher = Batcher(held)
    found = [batcher.submit(windows_of(run, 4 * i, timed=bool(i % 2))) for i in range(4)]
    held.free.set()
    for answer in found:
        answer.result(20)
    batcher.close()
    for windows in held.asked:
        timed = {s[1] == "t" for s in []} or windows.samples["acc"].times is not None
        odd = {int(s[1:]) // 4 % 2 == 1 for s in windows.sources}
        assert odd == {timed}


def test_an_error_is_of_the_request_that_causes_it(run: ServedRun) -> None:
    held = Held(run)
    batcher = Batcher(held)
    found = {seed: batcher.submit(windows_of(run, seed)) for seed in (12, 13, 14)}
    held.free.set()
    assert found[12].result(20).logits.shape == found[14].result(20).logits.shape == (2, 2)
    with pytest.raises(ValueError, match="r13"):
        found[13].result(20)
    batcher.close()


def test_what_is_cancelled_is_not_computed_and_what_waits_is_answered_at_the_end(
    run: ServedRun,
) -> None:
    held = Held(run)
    batcher = Batcher(held)
    first, second, third = (batcher.submit(windows_of(run, seed)) for seed in (0, 4, 8))
    # The first may be with the model already; what comes after it waits.
    late: list[Future[Prediction]] = [
        batcher.submit(windows_of(run, 16 + 4 * i)) for i in range(70)
    ]
    assert late[-1].cancel()
    closing = threading.Thread(target=batcher.close)
    closing.start()
    held.free.set()
    closing.join(30)
    assert not closing.is_alive()
    assert all(f.done() for f in (first, second, third, *late))
    asked = {str(s) for w in held.asked for s in w.sources}
    assert f"r{16 + 4 * 69}" not in asked
    assert f"r{16 + 4 * 68}" in asked
    assert max(len(w) for w in held.asked) <= MOST + 1
