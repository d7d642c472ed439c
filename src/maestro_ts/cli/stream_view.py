"""What a live stream shows: JSON lines, or one calm picture in a terminal."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from maestro_ts.deploy.stream_result import StreamResult
    from maestro_ts.experiments.stream_job import LiveStream

__all__ = ["JsonLines", "TerminalView", "counts_table"]

BAR = 24  # characters of a probability of 1


class JsonLines:
    """One line of JSON on standard output for every answer; notes on standard error."""

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(self, *given: object) -> None: ...

    def show(self, stream: LiveStream, result: StreamResult) -> None:
        """The answer, with the stream's name."""
        print(json.dumps({"stream": stream.name, **result.to_dict()}), flush=True)

    def note(self, text: str) -> None:
        """One line on standard error."""
        print(text, file=sys.stderr, flush=True)


class TerminalView:
    """The last answer and the state of the sensors, drawn in place; notes pass above it."""

    def __enter__(self) -> TerminalView:
        from rich.live import Live

        self.live = Live(refresh_per_second=4)
        self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.live.stop()

    def show(self, stream: LiveStream, result: StreamResult) -> None:
        """Draw anew."""
        from rich.console import Group
        from rich.text import Text

        end_s = result.start_s + result.duration_s
        answer = result.answer
        named = ", ".join(answer) if isinstance(answer, list) else answer
        head = Text(f"{stream.name}  {result.start_s:.2f} to {end_s:.2f} s   ")
        head.append(named if isinstance(named, str) else f"{named:.4g}", style="bold")
        self.live.update(Group(head, *_bars(result), _sensors(stream, result)))

    def note(self, text: str) -> None:
        """One line above the picture."""
        self.live.console.print(text, markup=False, highlight=False)


def _bars(result: StreamResult) -> list[Any]:
    from rich.text import Text

    width = max((len(name) for name in result.probabilities), default=0)
    return [
        Text(f"  {name:<{width}}  {p:.3f}  {'█' * round(BAR * p)}")
        for name, p in result.probabilities.items()
    ]


def _sensors(stream: LiveStream, result: StreamResult) -> Table:
    from rich.table import Table

    table = Table("sensor", "in the window", "budget", "samples", "late", "last, s", box=None)
    for name, count in stream.classifier.metrics().sensors.items():
        budget = result.budgets.get(name)
        table.add_row(
            name,
            "present" if result.present[name] else "missing",
            "" if budget is None else f"{budget:.2f}",
            str(count.accepted),
            str(count.late),
            f"{count.since_last_s:.2f}",
        )
    return table


def counts_table(stream: LiveStream) -> str:
    """What became of all samples, as text."""
    from maestro_ts.cli.tables import format_table

    metrics = stream.classifier.metrics()
    header = ["sensor", "accepted", "late", "dropped", "rejected", "last, s"]
    rows = [
        [
            name,
            *(str(n) for n in (c.accepted, c.late, c.dropped, c.rejected)),
            f"{c.since_last_s:.2f}" + (" silent" if c.silent else ""),
        ]
        for name, c in metrics.sensors.items()
    ]
    left_out = f", {metrics.left_out} left out" if metrics.left_out else ""
    source = stream.source.metrics()
    return (
        f"{stream.name}: {metrics.windows} windows answered{left_out}\n{format_table(header, rows)}"
        + (f"\nsource: {json.dumps(source)}" if source else "")
    )
