"""``maestro-ts datasets list | info NAME | fetch NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro_ts.cli.fetch import fetch
from maestro_ts.cli.options import FOLDER_VARIABLE, Data

if TYPE_CHECKING:
    from maestro_ts.signals.datasets.card import Card
    from maestro_ts.signals.modality import Modality, Schema

__all__ = ["app"]

app = typer.Typer(help="Public data sets that can be read.", no_args_is_help=True)
Archives = Annotated[
    Path | None,
    typer.Option("--data", envvar=FOLDER_VARIABLE, help="Folder with the archives, as NAME.zip."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]


@app.command("list")
def list_(data: Archives = None) -> None:
    """One line per data set, and whether its data is on this machine."""
    from maestro_ts.cli.tables import format_table
    from maestro_ts.signals.datasets import DATASETS, card
    from maestro_ts.signals.datasets.local import find_data

    rows = []
    for name in DATASETS:
        c = card(name)
        rows.append(
            [
                name,
                c.task,
                f"{len(c.schema)}",
                _rates(c.schema),
                f"{c.subjects}",
                find_data(c, data) or "-",
                _way(c),
                c.licence,
            ]
        )
    header = ["name", "task", "modalities", "rates", "subjects", "data here", "get it", "licence"]
    print(format_table(header, rows))
    print("\nfetch: `maestro-ts datasets fetch NAME` downloads it from its owners.")
    print("by hand: `maestro-ts datasets info NAME` says how.")
    if data is None:
        print(f"Data is looked for in the folder {FOLDER_VARIABLE}, or --data; neither is given.")
    else:
        print(f"Data was looked for in {data}.")


@app.command("info")
def info(
    name: Annotated[str, typer.Argument(help="Name from the list.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Print the card of a data set; with --data, read it and count what it holds."""
    import json

    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.signals.datasets import card, read
    from maestro_ts.signals.datasets.summary import card_values, reading_values

    c = card(name)
    counts: dict[str, Any] = {}
    if data is not None:
        with ConsoleProgress() as progress:
            reading = read(name, data, lambda done, total: progress.update("reading", done, total))
        counts = reading_values(c, reading)
    if as_json:
        print(json.dumps({"card": card_values(c)} | counts, indent=2, ensure_ascii=False))
        return
    _print_card(c)
    if counts:
        _print_counts(counts)


app.command("fetch")(fetch)


def _print_card(c: Card) -> None:
    from maestro_ts.cli.tables import format_table

    window = "one window per trial"
    if c.windows.duration_s is not None:
        step = c.windows.step_s or c.windows.duration_s
        window = f"{c.windows.duration_s:g} s every {step:g} s"
    print(f"{c.name}: {c.title}\n")
    for key, text in (
        ("task", c.task),
        ("classes", ", ".join(c.classes)) if c.target is None else ("number", c.target.title),
        ("windows", window),
        ("labels", c.label_rule),
        ("clock", c.clock),
        ("subjects", str(c.subjects)),
        ("licence", c.licence),
        ("citation", c.citation),
        ("how to get", c.how_to_get),
        *([("owners' page", c.page)] if c.page else []),
        *([("fetch", f"maestro-ts datasets fetch {c.name}")] if c.downloads else []),
        ("data here", _data_here(c)),
        ("run on real data", "yes" if c.read_on_real_data else "no, on generated files only"),
    ):
        print(f"{key:>16}: {text}")
    rows = [[m.name, str(m.channels), _rate(m), m.unit, m.device] for m in c.schema]
    print("\n" + format_table(["modality", "channels", "rate", "unit", "device"], rows))
    if c.quirks:
        print("\nQuirks, and what the reader does:")
        for quirk in c.quirks:
            print(f"- {quirk}")


def _way(c: Card) -> str:
    """How the files come to this machine: ``fetch``, ``pip``, or ``by hand``."""
    if c.downloads:
        return "fetch"
    return "pip" if c.package else "by hand"


def _data_here(c: Card) -> str:
    import os

    from maestro_ts.signals.datasets.local import find_data

    given = os.environ.get(FOLDER_VARIABLE)
    found = find_data(c, Path(given) if given else None)
    looked = f"in {given}" if given else f"the folder {FOLDER_VARIABLE} is not set"
    return f"{found or '-'} ({looked})"


def _print_counts(counts: dict[str, Any]) -> None:
    from maestro_ts.cli.tables import format_table

    refused, numbers = counts["refused"], counts.get("numbers")
    print(f"\nRead: {counts['recordings']} recordings of {counts['subjects']} subjects.\n")
    for key, title in (("modalities", "modality"), ("labels", "label")):
        rows = [[name, str(n)] for name, n in counts[key].items()]
        if rows:
            print(format_table([title, "recordings"], rows) + "\n")
    if numbers:
        print(", ".join(f"{name} {value:g}" for name, value in numbers.items()) + "\n")
    print(f"Refused: {len(refused)} files.")
    for refusal in refused:
        print(f"- {refusal['where']}: {refusal['why']}")


def _rate(m: Modality) -> str:
    if m.static:
        return "static"
    return "irregular" if m.rate_hz is None else f"{m.rate_hz:g} Hz"


def _rates(schema: Schema) -> str:
    """``50/30 Hz, irregular, static``: the kinds there are, fastest first."""
    rates = sorted({m.rate_hz for m in schema if m.rate_hz and not m.static}, reverse=True)
    kinds = ["/".join(f"{r:g}" for r in rates) + " Hz"] if rates else []
    others = {_rate(m) for m in schema}
    return ", ".join(kinds + [kind for kind in ("irregular", "static") if kind in others])
