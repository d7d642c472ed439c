"""``maestro-ts datasets list | info NAME``."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(help="Public data sets that can be read.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """One line per data set."""
    from maestro_ts.cli.tables import format_table
    from maestro_ts.signals.datasets import DATASETS, card

    rows = []
    for name in DATASETS:
        c = card(name)
        rates = sorted({m.rate_hz for m in c.schema if m.rate_hz}, reverse=True)
        rows.append(
            [
                name,
                c.task,
                f"{len(c.schema)}",
                "/".join(f"{r:g}" for r in rates) + " Hz",
                f"{c.subjects}",
                c.licence,
            ]
        )
    print(format_table(["name", "task", "modalities", "rates", "subjects", "licence"], rows))


@app.command("info")
def info(name: Annotated[str, typer.Argument(help="Name from the list.")]) -> None:
    """Print the card of a data set."""
    from maestro_ts.cli.tables import format_table
    from maestro_ts.signals.datasets import card

    c = card(name)
    window = "one window per trial"
    if c.windows.duration_s is not None:
        step = c.windows.step_s or c.windows.duration_s
        window = f"{c.windows.duration_s:g} s every {step:g} s"
    print(f"{c.name}: {c.title}\n")
    for key, text in (
        ("task", c.task),
        ("classes", ", ".join(c.classes)),
        ("windows", window),
        ("labels", c.label_rule),
        ("clock", c.clock),
        ("subjects", str(c.subjects)),
        ("licence", c.licence),
        ("citation", c.citation),
        ("how to get", c.how_to_get),
        ("run on real data", "yes" if c.read_on_real_data else "no, on generated files only"),
    ):
        print(f"{key:>16}: {text}")
    rows = [
        [
            m.name,
            str(m.channels),
            "irregular" if m.rate_hz is None else f"{m.rate_hz:g} Hz",
            m.unit,
            m.device,
        ]
        for m in c.schema
    ]
    print("\n" + format_table(["modality", "channels", "rate", "unit", "device"], rows))
    if c.quirks:
        print("\nQuirks, and what the reader does:")
        for quirk in c.quirks:
            print(f"- {quirk}")
