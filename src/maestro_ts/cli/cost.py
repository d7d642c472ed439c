"""``maestro-ts cost RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maestro_ts.evaluation.pattern_cost import MissingCost
    from maestro_ts.experiments.cost_job import RunCost, Timing

__all__ = ["cost"]


def cost(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    batch: Annotated[int, typer.Option(min=1, help="Windows of the larger batch.")] = 64,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each timing.")] = 5,
    json_: Annotated[
        Path | None, typer.Option("--json", help="File to write all figures to.")
    ] = None,
) -> None:
    """Count and measure what a run costs: parameters, operations, time, memory. Needs no data."""
    import json
    from dataclasses import asdict

    from maestro_ts.atomic import write_text
    from maestro_ts.experiments.cost_job import run_cost

    found = run_cost(run, batch=batch, rounds=rounds)
    print("\n\n".join(_tables(found)))
    if json_ is not None:
        write_text(json_, json.dumps(asdict(found), indent=1) + "\n")
        print(f"\nJSON: {json_}")


def _tables(found: RunCost) -> list[str]:
    from maestro_ts.cli.tables import format_table
    from maestro_ts.report.cost import counted

    share = {name: f"{macs / found.macs:.1%}" for name, macs in found.components.items()}
    components = [[name, counted(macs), share[name]] for name, macs in found.components.items()]
    missing = [
        [str(r.missing), counted(r.macs), _range(r), str(r.patterns)] for r in found.by_missing
    ]
    modalities = [[r.modality, counted(r.own), counted(r.alone)] for r in found.by_modality]
    passes = [
        [
            "1 window" if p.windows == 1 else f"{p.windows} windows",
            _milliseconds(p.network),
            _milliseconds(p.front_end),
            _megabytes(p.added_bytes),
        ]
        for p in found.passes
    ]
    return [
        f"{found.parameters:,} parameters\n"
        f"{found.macs:,} multiply-accumulates (MACs) of a window with everything present",
        format_table(["component", "MACs", "share"], components),
        format_table(["sensors missing", "mean MACs", "range", "patterns"], missing),
        format_table(["sensor", "its own MACs", "alone"], modalities),
        format_table(
            ["on the CPU", "network, ms [quartiles]", "front end, ms [quartiles]", "memory"],
            passes,
        )
        + f"\nThreads: {found.threads}. Rounds: {found.rounds}. Memory is what passes add at most "
        f"to the {_megabytes(found.resident_bytes)} of program and model.",
    ]


def _range(row: MissingCost) -> str:
    from maestro_ts.report.cost import counted

    same = row.lowest == row.highest
    return "" if same else f"{counted(row.lowest)} – {counted(row.highest)}"


def _milliseconds(timing: Timing) -> str:
    values = [1000 * s for s in (timing.median_s, timing.low_s, timing.high_s)]
    median, low, high = (f"{v:.3g}" if v < 100 else f"{v:.0f}" for v in values)
    return f"{median} [{low}, {high}]"


def _megabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:.0f} MB"
