"""Progress in a terminal: a bar with loss, metric and time left; plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestro_ts.experiments.progress import Progress
    from maestro_ts.training.callbacks import Callback, EpochReport

__all__ = ["ConsoleProgress"]

EVERY_S = 10.0  # seconds between plain lines


class ConsoleProgress:
    """Context manager around `rich.progress`, or lines on stderr without a terminal.

    Satisfies `experiments.progress.Progress`.
    """

    def __init__(self, plain: bool = False) -> None:
        self.plain = plain or not sys.stderr.isatty()
        self.said = 0.0
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> ConsoleProgress:
        if not self.plain:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[info]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.plain:
            self.bar.stop()

    def as_progress(self) -> Progress:
        """The object that library code reports to."""
        from maestro_ts.experiments.progress import Progress

        outer = self

        class _Adapter(Progress):
            def note(self, text: str) -> None:
                outer.note(text)

            def update(self, what: str, done: int, total: int) -> None:
                outer.update(what, done, total)

            def training(self, title: str) -> Callback:
                return _training(outer, title)

        return _Adapter()

    def note(self, text: str) -> None:
        """One line, above the bars."""
        if self.plain:
            print(text, file=sys.stderr)
        else:
            self.bar.console.print(text, markup=False, highlight=False)

    def update(
        self, what: str, done: int, total: int | None, info: str = "", force: bool = False
    ) -> None:
        """Move a bar, or say a line every few seconds; a total of None is not known."""
        if self.plain:
            now = time.monotonic()
            finished = total is not None and done >= total
            if force or finished or now - self.said > EVERY_S:
                self.said = now
                of = "" if total is None else f"/{total}"
                print(f"{what}: {done}{of} {info}".rstrip(), file=sys.stderr)
            return
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(what, total=total, info=info)
        self.bar.update(self.tasks[what], completed=done, total=total, info=info)


def _training(console: ConsoleProgress, title: str) -> Callback:
    from maestro_ts.training.callbacks import Callback

    class _Training(Callback):
        """Loss and best validation score beside the bar; time left in plain lines too."""

        def __init__(self) -> None:
            self.score = ""
            self.best, self.least = -1.0, float("inf")
            self.began, self.first = time.monotonic(), 0

        def on_begin(self, steps: int, done: int) -> None:
            self.began, self.first = time.monotonic(), done
            if done:
                console.note(f"{title}: going on after step {done} of {steps}")

        def on_step(self, step: int, steps: int, loss: float) -> None:
            spent = time.monotonic() - self.began
            left = spent / max(step - self.first, 1) * (steps - step)
            info = f"loss {loss:.3f}{self.score}"
            if console.plain:
                info += f"  {left:.0f} s left"
            console.update(f"training {title}", step, steps, info)

        def on_epoch(self, report: EpochReport) -> None:
            if report.validation_f1 is not None:
                self.best = max(self.best, report.validation_f1)
                self.score = (
                    f"  validation macro-F1 {report.validation_f1:.3f} (best {self.best:.3f})"
                )
            if report.validation_mae is not None:
                self.least = min(self.least, report.validation_mae)
                self.score = f"  validation MAE {report.validation_mae:.3f} (best {self.least:.3f})"

    return _Training()
