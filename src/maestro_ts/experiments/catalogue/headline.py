"""The paper's headline ratios, by its formulas, from the cells of the missingness experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from maestro_ts.experiments.catalogue.missingness import MISSINGNESS

__all__ = ["HEADLINE", "ratios"]

TRANSFORMER = "transformer"  # the rival that the paper retrained with its own modality dropout


def ratios(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Gains of the first entrant as the paper counts them (its §4.1 and appendix D.1).

    A relative gain is ``(ours − base) / base``; an absolute one the plain difference, in accuracy.
    The base is the best of the other models at that rate.

    Returns
    -------
    list of dict: what, ours, base, rival, value, unit, published; without a rival none.
    """
    ours, *others = summary["entrants"]
    rivals = [e for e in others if e["recipe"]["model_kind"] != ours["recipe"]["model_kind"]]
    filled = [e for e in others if e["recipe"].get("symbols", {}).get("missing") == "zero"]
    adapted = [e for e in rivals if e["recipe"]["model_kind"] == TRANSFORMER]
    asked = [
        ("best rival, everything present", "macro_f1", 0.0, rivals, "relative", "4 % (multimodal)"),
        ("best rival", "macro_f1", 0.4, rivals, "relative", "59 %"),
        ("Transformer with modality dropout", "macro_f1", 0.4, adapted, "relative", "25 %"),
        ("0 for what is missing", "macro_f1", 0.4, filled, "relative", "11 %"),
        ("best rival", "accuracy", 0.1, rivals, "absolute", "7.6 points"),
        ("best rival", "accuracy", 0.4, rivals, "absolute", "9.4 points"),
    ]
    found = []
    for what, metric, rate, against, kind, paper in asked:
        row = _gain(ours, against, metric, rate, kind)
        if row is not None:
            found.append({"what": what, "rate": rate, "metric": metric, "published": paper} | row)
    return found


def _gain(
    ours: Mapping[str, Any],
    rivals: Sequence[Mapping[str, Any]],
    metric: str,
    rate: float,
    kind: str,
) -> dict[str, Any] | None:
    values = {e["name"]: _at(e, metric, rate) for e in (ours, *rivals)}
    known = {name: value for name, value in values.items() if value is not None}
    own = known.pop(ours["name"], None)
    if own is None or not known:
        return None
    best = max(known, key=lambda name: known[name])
    gain = own - known[best]
    return {
        "ours": own,
        "base": known[best],
        "rival": best,
        "value": gain / known[best] if kind == "relative" else gain,
        "kind": kind,
    }


def _at(entrant: Mapping[str, Any], metric: str, rate: float) -> float | None:
    for row in entrant["conditions"]:
        if row["mode"] == "modality" and row["rate"] == rate:
            return float(row[metric])
    return None


HEADLINE = replace(
    MISSINGNESS,
    name="headline",
    title="The paper's headline figures",
    question="Gains over the best rival with everything present, and with 10 and 40 % missing?",
    cells_of="missingness",
    ratios=ratios,
)
