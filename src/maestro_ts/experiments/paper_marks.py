"""The paper's single values, each beside the entrant and the condition of ours that it is about.

Mohapatra et al., NeurIPS 2025, arXiv 2509.25278: Tables 3 to 5 and 16 to 22. Its splits are not
published in full; neither are the spikes of Table 4 nor the deviation of its random noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro_ts.experiments.catalogue.spoilt_sensors import CHEST, WRIST
from maestro_ts.experiments.published import PAPER_NAMES

__all__ = ["MARKS", "Mark", "paper_marks"]

COMPLETE: Mapping[str, Any] = {"mode": "modality", "rate": 0.0}
PAPER_WINDOWS = 32  # Table 3 and 19 count a batch of so many; values here are of one window


@dataclass(frozen=True)
class Mark:
    """One value of the paper.

    Attributes
    ----------
    what : str
        What it is of, in the paper.
    paper : float
    entrant : str
        Whose value of ours it stands beside.
    condition : mapping
        What of a condition must agree.
    metric : {"accuracy", "macro_f1", "mmac"}
    """

    what: str
    paper: float
    entrant: str
    condition: Mapping[str, Any] = field(default_factory=lambda: COMPLETE)
    metric: str = "accuracy"


def _costs(rows: Mapping[str, tuple[str, float, float]]) -> tuple[Mark, ...]:
    """Model → its entrant, accuracy, and million multiply-accumulates of the paper's batch."""
    right = [Mark(what, accuracy, entrant) for what, (entrant, accuracy, _) in rows.items()]
    return *right, *(
        Mark(what, mmac / PAPER_WINDOWS, entrant, metric="mmac")
        for what, (entrant, _, mmac) in rows.items()
    )


def _only(*names: str) -> Mapping[str, Any]:
    return {"mode": "pattern", "pattern": sorted(names)}


def _each(entrant: str, metric: str = "accuracy", **values: float) -> tuple[Mark, ...]:
    return tuple(
        Mark(f"unimodal Transformer, {name}", value, entrant, _only(name), metric)
        for name, value in values.items()
    )


def _spoilt(sensors: tuple[str, ...], what: str, values: tuple[float, ...]) -> tuple[Mark, ...]:
    """Table 4: absent, replaced, noise, noise and spikes."""
    own = {"sensors": list(sensors)}
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("missing", {"mode": "absent"}),
        ("random Gaussian noise", {"mode": "replaced"}),
        ("additive Gaussian noise", {"mode": "noise", "amount": 0.5}),
        ("additive noise and spikes", {"mode": "spikes", "amount": 0.5}),
    )
    return tuple(
        Mark(f"{what}: {kind}", value, "maestro", condition | own)
        for (kind, condition), value in zip(kinds, values, strict=True)
    )


def _partial(mode: str, rate: float) -> Mapping[str, Any]:
    return {"mode": mode, "rate": rate, "sensors": list(WRIST)}


_DALIA_SUBSETS: Mapping[str, float] = {
    "chest_acc wrist_eda wrist_temp": 0.66,
    "wrist_acc wrist_bvp wrist_temp": 0.67,
    "chest_acc wrist_bvp wrist_temp": 0.68,
    "chest_acc wrist_bvp": 0.67,
    "wrist_acc wrist_bvp": 0.64,
    "chest_acc wrist_acc wrist_temp": 0.70,
    "chest_acc wrist_acc": 0.80,
    "wrist_acc": 0.79,
    "chest_acc wrist_eda": 0.79,
    "chest_acc wrist_acc wrist_eda": 0.79,
    "wrist_acc wrist_eda": 0.77,
    "chest_acc": 0.85,
}
_BOTH = _only("chest_acc", "wrist_acc")

# Experiment and the paper's data set → its values.
MARKS: Mapping[tuple[str, str], tuple[Mark, ...]] = {
    ("cost", "WESAD"): _costs(
        {
            "iTransformer": ("itransformer", 0.67, 2833),
            "Transformer": ("transformer", 0.63, 4331),
            "FuseMoE": ("fusemoe", 0.47, 6524),
            "MULT": ("mult", 0.60, 13324),
            "ShaSpec": ("shaspec", 0.62, 4556),
            "MAESTRO": ("maestro-paper", 0.77, 3066),
            "MAESTRO, all full attention": ("paper-dense", 0.75, 4205),
            "MAESTRO, all full attention, no MoE": ("paper-dense-no-experts", 0.78, 4392),
        }
    ),
    ("noise", "WESAD"): (
        Mark("no noise", 0.77, "maestro"),
        *_spoilt(CHEST, "chest ACC", (0.61, 0.61, 0.75, 0.60)),
        *_spoilt(WRIST, "wrist BVP, EDA, TEMP", (0.65, 0.63, 0.74, 0.73)),
    ),
    ("subsets", "DaliaHAR"): tuple(
        Mark(names.replace(" ", " + "), value, "maestro", _only(*names.split()))
        for names, value in _DALIA_SUBSETS.items()
    ),
    ("experts", "WESAD"): tuple(
        Mark(f"{count} experts, one a token", value, f"experts-{count}")
        for count, value in ((8, 0.80), (4, 0.79), (2, 0.75))
    ),
    ("word-length", "WESAD"): (
        Mark("word length 2", 0.80, "maestro-paper"),
        Mark("word length 4", 0.77, "paper-word-4"),
        Mark("word length 8", 0.80, "paper-word-8"),
    ),
    ("partial", "WESAD"): (
        Mark("all available", 0.77, "maestro"),
        Mark("20 % of the modalities missing", 0.61, "maestro", _partial("absent", 0.0)),
        Mark("first 25 % of them masked", 0.60, "maestro", _partial("first", 0.25)),
        Mark("last 25 % of them masked", 0.65, "maestro", _partial("last", 0.25)),
    ),
    ("density", "WESAD"): _costs(
        {
            "MAESTRO, 32 Hz": ("maestro-paper", 0.77, 3066),
            "MAESTRO, 64 Hz": ("paper-64-hz", 0.77, 7205),
            "MAESTRO, 128 Hz": ("paper-128-hz", 0.73, 14502),
            "dense, 32 Hz": ("paper-32-hz-dense", 0.75, 4205),
            "dense, 64 Hz": ("paper-64-hz-dense", 0.71, 11510),
        }
    ),
    ("unimodal", "DSADS"): _each(
        "transformer-each", torso=0.63, right_arm=0.74, left_arm=0.85, right_leg=0.81, left_leg=0.83
    ),
    ("unimodal", "DaliaHAR"): _each(
        "transformer-each",
        wrist_acc=0.81,
        wrist_bvp=0.50,
        wrist_eda=0.45,
        wrist_temp=0.35,
        chest_acc=0.85,
    ),
    ("unimodal", "WESAD"): _each(
        "transformer-each",
        chest_acc=0.67,
        chest_ecg=0.75,
        chest_emg=0.75,
        chest_resp=0.63,
        chest_eda=0.60,
        chest_temp=0.71,
        wrist_acc=0.66,
        wrist_bvp=0.71,
        wrist_eda=0.60,
        wrist_temp=0.38,
    ),
    ("unimodal", "MIMIC-III"): (
        *_each(
            "transformer-each",
            glasgow_coma_scale=0.77,
            systolic_bp=0.72,
            heart_rate=0.72,
            temperature=0.77,
            pao2_fio2=0.76,
        ),
        *_each(
            "transformer-each",
            "macro_f1",
            glasgow_coma_scale=0.17,
            systolic_bp=0.17,
            heart_rate=0.16,
            temperature=0.15,
            pao2_fio2=0.16,
        ),
    ),
    ("prior-mask", "DaliaHAR"): (
        Mark("MAESTRO, all modalities", 0.83, "maestro"),
        Mark("MAESTRO, only wrist and chest ACC", 0.85, "maestro", _BOTH),
        Mark("Transformer with modality dropout, the same", 0.71, "transformer", _BOTH),
        Mark("bimodal model", 0.82, "maestro-trusted", _BOTH),
    ),
}


def paper_marks(experiment: str, dataset: str, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's values for an experiment on a data set, with ours.

    Returns
    -------
    list of dict: what, metric, paper, entrant, ours (None: its entrant did not take part).
    """
    marks = MARKS.get((experiment, PAPER_NAMES.get(dataset, "")), ())
    return [
        {
            "what": mark.what,
            "metric": mark.metric,
            "paper": round(mark.paper, 4),
            "entrant": mark.entrant,
            "ours": _ours(mark, summary),
        }
        for mark in marks
    ]


def _ours(mark: Mark, summary: Mapping[str, Any]) -> float | None:
    for entrant in summary["entrants"]:
        if entrant["name"] != mark.entrant:
            continue
        for i, row in enumerate(entrant["conditions"]):
            if all(row.get(key) == value for key, value in mark.condition.items()):
                return _value(mark.metric, entrant, i)
    return None


def _value(metric: str, entrant: Mapping[str, Any], i: int) -> float | None:
    if metric != "mmac":
        return float(entrant["conditions"][i][metric])
    macs = entrant.get("costs", {"conditions": [{"macs": None}]})["conditions"][i]["macs"]
    return None if macs is None else float(macs) / 1e6
