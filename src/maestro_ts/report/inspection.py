"""The page of `maestro-ts inspect`: what was understood of recordings, and what is suspicious."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maestro_ts.atomic import write_text
from maestro_ts.report.blocks import Section, Table, block, section
from maestro_ts.report.header import Headline
from maestro_ts.report.page import render_page
from maestro_ts.report.theme import HEAT_SCALE, colour_of, row_height, styled
from maestro_ts.report.wording import plain, shortened, wrapped
from maestro_ts.signals.inspect import Finding, Inspection
from maestro_ts.signals.inspect.times import gaps
from maestro_ts.signals.inspect.wording import (
    class_rows,
    dependence_rows,
    describe,
    finding_rows,
    modality_rows,
)
from maestro_ts.signals.recording import Recording

__all__ = ["render_inspection", "write_inspection"]

DRAWN = 6  # streams
POINTS = 2000  # of a stream
SHOWN_OPEN = 60  # rows of a table
# What can be seen in a line over time.
VISIBLE = ("unit-change", "impossible", "stuck", "constant", "saturation", "gap")


def write_inspection(seen: Inspection, recordings: Sequence[Recording], path: Path) -> None:
    """Write the page; the file is there whole or not at all."""
    write_text(path, render_inspection(seen, recordings))


def render_inspection(seen: Inspection, recordings: Sequence[Recording]) -> str:
    """The page as text; recordings are only drawn from."""
    facts = [
        Headline("Recordings", f"{seen.recordings:,}", f"{seen.hours:.2f} h"),
        Headline("Subjects", f"{seen.subjects:,}", f"{len(seen.classes)} labels"),
        Headline("Findings", f"{len(seen.findings):,}", "nothing was changed"),
    ]
    parts = [
        *_tables("findings", "What is suspicious", finding_rows(seen), words=4),
        *_streams(seen, recordings),
        *_absence(seen),
        *_tables("modalities", "Modalities", modality_rows(seen), words=2),
        *_tables("labels", "Labels", class_rows(seen), words=1),
        *_lists(seen),
    ]
    return render_page(
        title=f"{seen.title}: a look at the data",
        summary=f"{len(seen.modalities)} modalities, clock {seen.clock}.",
        headlines=facts,
        notes=describe(seen).split("\n"),
        sections=parts,
        details=[],
        tree=asdict(seen),
    )


def _tables(
    key: str, title: str, content: tuple[list[str], list[list[str]]], words: int
) -> list[Section]:
    head, rows = content
    table = Table(title, head, rows, words, folded=len(rows) > SHOWN_OPEN)
    return section(key, title, [], tables=[table] if rows else [])


def _absence(seen: Inspection) -> list[Section]:
    figure = _absence_figure(seen)
    caption = (
        "Share of the labelled stretches in which a modality is absent. Where a row varies, the "
        "absence tells something of the class, and a model can learn that instead of the signal."
    )
    said = ", ".join(f"{d.modality} {d.cramers_v:.2f}" for d in seen.dependences[:10])
    head, rows = dependence_rows(seen)
    return section(
        "absence",
        "Does absence tell the class?",
        block("absence", figure, caption, f"Heat map of absence; Cramér's V: {said}.", 420),
        tables=[Table("Tests", head, rows, 1, folded=len(rows) > SHOWN_OPEN)] if rows else [],
    )


def _absence_figure(seen: Inspection) -> go.Figure | None:
    if not seen.dependences:
        return None
    labels = [c.label for c in seen.classes if c.stretches]
    shares = [
        [d.absent[x] / (d.absent[x] + d.present[x]) for x in labels] for d in seen.dependences
    ]
    figure = go.Figure()
    figure.add_heatmap(
        x=list(range(len(labels))),
        y=list(range(len(shares))),
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=HEAT_SCALE,
        showscale=False,
        xgap=1,
        ygap=1,
        texttemplate="%{z:.0%}",
        meta={"roomy": len(labels) > 8},
        hovertemplate="absent in %{z:.0%}<extra></extra>",
    )
    names = [shortened(x) for x in labels]
    figure.update_xaxes(tickvals=list(range(len(labels))), ticktext=names, tickangle=-60)
    rows = [wrapped(d.modality) for d in seen.dependences]
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=rows, range=[len(rows) - 0.5, -0.5]
    )
    return styled(figure, row_height(len(rows), 28, 170), showlegend=False)


def _streams(seen: Inspection, recordings: Sequence[Recording]) -> list[Section]:
    chosen = _worst(seen.findings)
    figure = _streams_figure(chosen, recordings)
    caption = (
        "The worst stream of each kind of finding that a line over time can show, all channels, "
        "smallest and largest value of every few samples."
    )
    said = "; ".join(f"{f.modality} of {f.where}: {f.what}" for f in chosen)
    return section(
        "streams",
        "Streams to look at",
        block("streams", figure, caption, f"Lines over time: {said}."),
    )


def _worst(findings: Sequence[Finding]) -> list[Finding]:
    """The worst finding of every kind, at most a few."""
    found = []
    for kind in VISIBLE:
        group = [f for f in findings if f.kind == kind]
        if group:
            found.append(max(group, key=lambda f: f.share))
    return found[:DRAWN]


def _streams_figure(chosen: Sequence[Finding], recordings: Sequence[Recording]) -> go.Figure | None:
    if not chosen:
        return None
    by_source = {r.source: r for r in recordings}
    titles = [wrapped(f"{f.modality}, {f.where}: {f.what}", 44, 4) for f in chosen]
    figure = make_subplots(
        rows=len(chosen), cols=1, subplot_titles=titles, vertical_spacing=0.36 / len(chosen)
    )
    for row, finding in enumerate(chosen, start=1):
        stream = by_source[finding.where].streams[finding.modality]
        times = stream.sample_times()
        for c in range(stream.values.shape[1]):
            at = _thinned(stream.values[:, c])
            x: list[float | None] = [round(float(t), 4) for t in times[at]]
            y = [None if np.isnan(v) else float(f"{v:.5g}") for v in stream.values[at, c]]
            # A line across a gap would invent the signal.
            for i in np.searchsorted(at, gaps(stream), side="right")[::-1]:
                x.insert(i, None)
                y.insert(i, None)
            figure.add_scatter(
                x=x,
                y=y,
                mode="lines",
                line={"width": 1, "color": colour_of(c)},
                connectgaps=False,
                name=plain(f"channel {c + 1}"),
                hovertemplate="%{x:.4g} s: %{y:.4g}<extra></extra>",
                row=row,
                col=1,
            )
    figure.update_xaxes(title_text="Time (s)", row=len(chosen), col=1)
    figure = styled(figure, 90 + 230 * len(chosen), showlegend=False, margin={"t": 64})
    return figure.update_annotations(font={"size": 11})


def _thinned(values: np.ndarray) -> np.ndarray:
    """Rows of the smallest and the largest value of every few: spikes stay in sight."""
    size = -(-2 * len(values) // POINTS)
    if size <= 2:
        return np.arange(len(values))
    keep = []
    for begin in range(0, len(values), size):
        part = values[begin : begin + size]
        if np.isnan(part).all():
            keep.append(begin)
        else:
            keep += sorted({begin + int(np.nanargmin(part)), begin + int(np.nanargmax(part))})
    return np.array(keep)


def _lists(seen: Inspection) -> list[Section]:
    tables = []
    for title, head, rows in (
        ("Not read", ["where", "why"], seen.refused),
        ("Said by the reader", ["recording", "note"], seen.notes),
        ("Files that the schema does not name", ["file"], [(u,) for u in seen.unused]),
    ):
        if rows:
            tables.append(Table(title, head, [list(r) for r in rows], len(head), folded=True))
    return section("reading", "What the reader said", [], tables=tables)
