from __future__ import annotations

import pytest

from maestro_ts.training import memory
from maestro_ts.training.memory import KEPT, USUAL, memory_kept


class Recorder:
    def __init__(self) -> None:
        self.calls: list[tuple[int, ...]] = []

    def mallopt(self, option: int, value: int) -> int:
        self.calls.append((option, value))
        return 1

    def malloc_trim(self, pad: int) -> int:
        self.calls.append((pad,))
        return 1


@pytest.fixture
def libc(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(memory, "_glibc", lambda: recorder)
    return recorder


def test_memory_is_kept_within_and_given_back_afterwards(libc: Recorder) -> None:
    with memory_kept():
        assert libc.calls == list(KEPT.items())
    assert libc.calls == [*KEPT.items(), *USUAL.items(), (0,)]


def test_an_error_gives_it_back_too(libc: Recorder) -> None:
    with pytest.raises(ValueError, match="stop"), memory_kept():
        raise ValueError("stop")
    assert libc.calls[-1] == (0,)
    with memory_kept():  # and the next one begins anew
        pass
    assert libc.calls.count((0,)) == 2


def test_only_the_outermost_sets_anything(libc: Recorder) -> None:
    with memory_kept():
        before = list(libc.calls)
        with memory_kept():
            pass
        assert libc.calls == before


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    with memory_kept():
        pass


def test_the_real_library_takes_the_options() -> None:
    libc = memory._glibc()
    if libc is None:
        pytest.skip("not glibc")
    with memory_kept():
        assert libc.mallopt(memory.MMAP_MAX, 0) == 1
