"""A stand-in for Ray with the few calls that are used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        super().__init__("a task failed\nwith a long trace")
        self.cause = cause


class Ray:
    """Runs a task when its result is asked for; remembers what was asked."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, running: bool = False) -> None:
        self.running = running
        self.said: list[tuple[str, Any]] = []
        self.open = self.most = 0
        self.broken = False

    def is_initialized(self) -> bool:
        return self.running

    def init(self, **settings: Any) -> None:
        self.running = True
        self.said.append(("init", settings.get("num_cpus", "as it is")))

    def shutdown(self) -> None:
        self.running = False
        self.said.append(("shutdown", None))

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 3.0}

    def remote(self, work: Any) -> Any:
        def submit(*given: Any) -> Any:
            self.open += 1
            self.most = max(self.most, self.open)
            return lambda: work(*given)

        return SimpleNamespace(remote=submit)

    def get(self, reference: Any) -> Any:
        self.open -= 1
        if self.broken:
            raise RayError("a node died\nand more")
        try:
            return reference()
        except Exception as error:
            raise RayTaskError(error) from error

    def cancel(self, reference: Any) -> None:
        self.open -= 1
        self.said.append(("cancel", None))
