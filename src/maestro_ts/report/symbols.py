"""Page sections: one window of every class with its bins and symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_ts.report.blocks import Block, Section, Table, section
from maestro_ts.report.signal import MISSING, example_figure
from maestro_ts.report.wording import percent

__all__ = ["symbol_sections"]

CAPTION = (
    "Class “{label}”. Steps are the means of the bins; each cell is the symbol of one bin and view "
    "(1 lowest, {alphabet} highest); hatched cells marked s₀ were hidden or are missing."
)

Tree = Mapping[str, Any]


def symbol_sections(summary: Tree) -> list[Section]:
    """A picture per class, and what hiding did to the symbols that are left."""
    found = summary["found"]
    examples = found["examples"]
    facts = [
        ("Signal", f"{examples[0]['modality']}, channel {examples[0]['channel']}"),
        ("Bins", str(len(examples[0]["edges_s"]) - 1)),
        ("Symbols", f"1 to {examples[0]['alphabet']}, and s₀"),
    ]
    if found["lacking"]:
        facts.append(("No window with this signal", ", ".join(found["lacking"])))
    return [
        *section(
            "classes",
            "One window of each class",
            [_picture(i, e) for i, e in enumerate(examples)],
            facts,
        ),
        *section("numbers", "Symbols", [], tables=[_table(examples)]),
    ]


def _picture(i: int, example: Tree) -> Block:
    missing = [f"{view}: {s.count(MISSING)} of {len(s)}" for view, s in example["views"].items()]
    return Block(
        f"class-{i}",
        example_figure(example),
        CAPTION.format(label=example["label"], alphabet=example["alphabet"]),
        f"A signal of class {example['label']} over time with the symbols of its bins; missing "
        f"symbols of {', '.join(missing)}.",
    )


def _table(examples: list[Tree]) -> Table:
    """The symbols as they stand in the pictures, one row per class and view."""
    rows = []
    for example in examples:
        for view, symbols in example["views"].items():
            told = " ".join("s₀" if s == MISSING else str(s) for s in symbols)
            rows.append([example["label"], view, told, percent(round(example["changed"][view], 3))])
    title = "Symbols with a part hidden, and how many of those still seen this has changed"
    return Table(title, ["class", "view", "symbols", "changed"], rows, numeric=3, folded=True)
