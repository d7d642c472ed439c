"""Who reads recordings, computes cells or trains trials side by side: processes here, or Ray."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeVar

from maestro_ts.errors import ConfigError, MaestroError, MissingExtraError, RunError

__all__ = ["Engine", "Processes", "RayCluster", "engine_of"]

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs a function of a module on many tasks."""

    def run(self, work: Callable[[T], R], tasks: Iterator[T]) -> Iterator[R]:
        """Results in the order of the tasks, few of which are under way at a time."""


def engine_of(name: str, jobs: int | None) -> Engine | None:
    """The engine of a name; None: no other process is needed.

    Raises
    ------
    ConfigError
        No such engine.
    MissingExtraError
        Ray is not installed.
    """
    if name == "ray":
        return RayCluster(jobs)
    if name != "local":
        raise ConfigError(f"there is no engine {name!r}.", fix="Known: local, ray.")
    return Processes(jobs) if jobs is not None and jobs > 1 else None


class Processes:
    """Some processes of this machine."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def run(self, work: Callable[[T], R], tasks: Iterator[T]) -> Iterator[R]:
        """See `Engine`."""
        # Spawned, not forked: the caller may have threads.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            self.jobs, mp_context=context, initializer=_end_with_parent
        ) as pool:
            waiting: deque[Future[R]] = deque()
            try:
                for task in tasks:
                    waiting.append(pool.submit(work, task))
                    if len(waiting) >= 2 * self.jobs:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BrokenProcessPool as error:
                raise RunError(
                    "a process that was given a task died; was there enough memory?",
                    fix="Run it again with fewer --jobs, prepare with --resume.",
                ) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _there(work: Callable[[T], R], folder: str, task: T) -> R:
    """Work in the folder of the caller: paths may be relative to it."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise RunError(
            "a machine of the Ray cluster does not have this folder.",
            where=folder,
            fix="All its machines must see the files at the same paths.",
        ) from error
    return work(task)


class RayCluster:
    """The Ray cluster that ``RAY_ADDRESS`` names, or one started on this machine.

    Its machines must see the files and the store at the same paths, and have maestro-ts installed.

    Parameters
    ----------
    jobs : int or None
        Tasks under way at a time; None: as many as the cluster has processors.
    """

    def __init__(self, jobs: int | None) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError.of("ray", "ray", "--engine ray") from error
        self._ray: Any = ray
        self.jobs = jobs

    def run(self, work: Callable[[T], R], tasks: Iterator[T]) -> Iterator[R]:
        """See `Engine`."""
        ray = self._ray
        ours = not ray.is_initialized()
        if ours:
            self._begin()
        waiting: deque[Any] = deque()
        try:
            most = self.jobs or max(int(ray.cluster_resources().get("CPU", 1)), 1)
            remote, here = ray.remote(_there), os.getcwd()
            for task in tasks:
                waiting.append(remote.remote(work, here, task))
                if len(waiting) >= most:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for left in waiting:
                ray.cancel(left)
            if ours:
                ray.shutdown()

    def _begin(self) -> None:
        address = os.environ.get("RAY_ADDRESS")
        local = {} if address else {"num_cpus": self.jobs}
        try:
            self._ray.init(log_to_driver=False, include_dashboard=False, **local)
        except Exception as error:  # of many kinds, a bare one where a node was too slow to start
            missed = "the Ray cluster cannot be reached" if address else "Ray cannot be started"
            raise RunError(
                f"{missed}: {str(error).strip().splitlines()[0]}",
                where=address or "",
                fix="Without --engine ray it is done by processes of this machine.",
            ) from error

    def _result(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, MaestroError):
                raise error.cause from None
            raise
        except self._ray.exceptions.RayError as error:
            raise RunError(
                f"the Ray cluster failed: {str(error).splitlines()[0]}",
                fix="Run it again, prepare with --resume.",
            ) from error
