"""`Progress`: what long work tells whoever started it. The base class says nothing."""

from __future__ import annotations

from maestro_ts.training.callbacks import Callback

__all__ = ["Progress"]


class Progress:
    """Override to draw bars or print lines."""

    def note(self, text: str) -> None:
        """Something worth a line: a refused file, a finished fold."""

    def update(self, what: str, done: int, total: int) -> None:
        """`done` of `total` steps of `what` are behind."""

    def training(self, title: str) -> Callback:
        """A callback for one training."""
        return Callback()
