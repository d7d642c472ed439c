"""The findings as tables of words, for a terminal and for a page."""

from __future__ import annotations

from maestro_ts.signals.inspect.finding import Finding, Inspection, ModalitySummary
from maestro_ts.signals.inspect.inspection import KINDS

__all__ = ["class_rows", "dependence_rows", "describe", "finding_rows", "modality_rows"]

Rows = tuple[list[str], list[list[str]]]


def modality_rows(seen: Inspection) -> Rows:
    """One row per modality."""
    head = ["modality", "device", "channels", "stated", "stamps tell", "there in", "missing"]
    head += ["gaps", "jitter", "values"]
    return head, [_modality_row(m, seen.recordings) for m in seen.modalities]


def class_rows(seen: Inspection) -> Rows:
    """One row per label."""
    head = ["label", "stretches", "seconds", "subjects"]
    return head, [
        [c.label, str(c.stretches), f"{c.seconds:.0f}", str(c.subjects)] for c in seen.classes
    ]


def dependence_rows(seen: Inspection) -> Rows:
    """One row per modality that is absent somewhere, the most telling first."""
    head = ["absent somewhere", "absent", "Cramér's V", "chi-square", "p", "most absent in"]
    rows = []
    for d in sorted(seen.dependences, key=lambda d: -d.cramers_v):
        total = {k: d.present[k] + d.absent[k] for k in d.present}
        worst = max(total, key=lambda k: d.absent[k] / total[k])
        n = sum(d.absent.values())
        said = f"{worst} ({d.absent[worst]} of {total[worst]})"
        row = [d.modality, f"{n} of {n + sum(d.present.values())}", f"{d.cramers_v:.2f}"]
        rows.append([*row, f"{d.chi_square:.1f}", f"{d.p:.1e}", said])
    return head, rows


def finding_rows(seen: Inspection) -> Rows:
    """One row per kind and modality: how many recordings, and the worst of them."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in seen.findings:
        groups.setdefault((finding.kind, finding.modality), []).append(finding)
    rows = []
    for (kind, modality), group in groups.items():
        worst = max(group, key=lambda f: f.share)
        example = f"{worst.where}: {worst.what}" if worst.where else worst.what
        touched = str(len({f.where for f in group})) if worst.where else "all"
        rows.append([kind, modality, touched, example])
    return ["finding", "modality", "recordings", "the worst"], rows


def describe(seen: Inspection) -> str:
    """What the kinds that occur mean, and what absence gives away."""
    kinds = [kind for kind in KINDS if any(f.kind == kind for f in seen.findings)]
    lines = [f"{kind}: {KINDS[kind]}" for kind in kinds] or ["Nothing suspicious was found."]
    if seen.guess is not None:
        blind, by_pattern = seen.guess
        lines.append(
            f"Guessing the label blindly is right in {blind:.0%} of the stretches, from nothing "
            f"but which sensors are there in {by_pattern:.0%}."
        )
    return "\n".join(lines)


def _modality_row(m: ModalitySummary, recordings: int) -> list[str]:
    stated = "static" if m.static else "irregular" if m.stated_hz is None else f"{m.stated_hz:g} Hz"
    told = ""
    if m.rate_hz is not None:
        low, mid, high = m.rate_hz
        told = (
            f"{mid:.4g} Hz" if high - low < 0.01 * mid else f"{mid:.4g} Hz ({low:.3g}–{high:.3g})"
        )
    gaps = f"{m.gaps}, up to {m.largest_gap_s:.3g} s" if m.gaps else "0"
    values = "" if m.lowest is None else f"{m.lowest:.4g} to {m.highest:.4g} {m.unit}".rstrip()
    row = [m.name, m.device, str(m.channels), stated, told, f"{m.recordings} of {recordings}"]
    jitter = "" if m.jitter is None else f"{m.jitter:.2g}"
    return [*row, f"{m.missing_share:.1%}", gaps, jitter, values]
