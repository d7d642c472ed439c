"""Words and rows on what sensors are worth, for the page and for the command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_ts.report.wording import percent, scored

__all__ = [
    "METRIC_NAMES",
    "cost_label",
    "front_rows",
    "order_of",
    "pair_rows",
    "priced",
    "set_name",
    "signed",
    "value_facts",
    "worth_rows",
]

METRIC_NAMES = {"macro_f1": "macro-F1", "auroc": "AUROC"}
INTERVAL = "95 % interval"

Rows = tuple[list[str], list[list[str]]]


def value_facts(value: dict[str, Any]) -> list[tuple[str, str]]:
    """The score with everything and with nothing, and the smallest set that is nearly as good."""
    name, smallest = METRIC_NAMES[value["metric"]], value["smallest"]
    kept = "" if smallest["share"] is None else f" keeps {percent(smallest['share'])}"
    return [
        (
            f"{_capital(name)} with everything",
            _with(value["everything"], value["everything_interval"]),
        ),
        (f"{_capital(name)} with nothing", _with(value["nothing"], value["nothing_interval"])),
        (
            "Fewest that keep 95 % of what all add to nothing",
            f"{set_name(value, smallest['players'])}:{kept}, {name} {scored(smallest['score'])}",
        ),
        (
            "Tested",
            f"{value['sets']:,} sets of {len(value['players'])} on {value['windows']:,} windows "
            f"of {value['subjects'] or 'unknown'} subjects",
        ),
    ]


def worth_rows(value: dict[str, Any]) -> Rows:
    """Every player, the most valuable first."""
    head = [value["by"].capitalize(), "There", "Loss if it fails", INTERVAL, "Shapley", INTERVAL]
    sampled = value["shapley_error"] is not None
    head += ["Sampling error"] * sampled + [cost_label(value)] * priced(value)
    rows = []
    for i in order_of(value):
        rows.append(
            [
                value["players"][i],
                percent(value["there"][i]),
                signed(value["loss"][i]),
                _span(_bounds(value["loss_interval"], i)),
                signed(value["shapley"][i]),
                _span(_bounds(value["shapley_interval"], i)),
                *([scored(value["shapley_error"][i])] if sampled else []),
                *([f"{value['costs'][i]:g}"] if priced(value) else []),
            ]
        )
    return head, rows


def pair_rows(value: dict[str, Any], most: int = 10) -> Rows:
    """Pairs whose interaction is largest, whichever its sign; none where they are not known."""
    head = ["Pair", "Interaction", INTERVAL, ""]
    if value["pairs"] is None:
        return head, []
    names, index, spans = value["players"], value["pairs"], value["pairs_interval"]
    pairs = [(i, j) for i in range(len(names)) for j in range(i)]
    pairs.sort(key=lambda p: -abs(index[p[0]][p[1]]))
    rows = []
    for i, j in pairs[:most]:
        bounds = spans and (spans[0][i][j], spans[1][i][j])
        rows.append([f"{names[j]} + {names[i]}", signed(index[i][j]), _span(bounds), _told(bounds)])
    return head, rows


def front_rows(value: dict[str, Any]) -> Rows:
    """The best set under every budget."""
    head = ["Best set", cost_label(value), METRIC_NAMES[value["metric"]], INTERVAL, "Keeps"]
    rows = [
        [
            set_name(value, one["players"]),
            f"{one['cost']:g}",
            scored(one["score"]),
            _span(one["interval"]),
            "–" if one["share"] is None else percent(one["share"]),
        ]
        for one in value["front"]
    ]
    return head, rows


def order_of(value: dict[str, Any]) -> list[int]:
    """Players, the largest Shapley value first."""
    return sorted(range(len(value["players"])), key=lambda i: -value["shapley"][i])


def priced(value: dict[str, Any]) -> bool:
    """Costs were given."""
    return bool(value["unit"]) or any(cost != 1 for cost in value["costs"])


def cost_label(value: dict[str, Any]) -> str:
    """What a budget counts."""
    if not priced(value):
        return {"device": "Devices", "modality": "Modalities"}[value["by"]]
    return f"Cost, {value['unit']}" if value["unit"] else "Cost"


def set_name(value: dict[str, Any], kept: Sequence[str]) -> str:
    """Names joined; long sets by what they lack."""
    if not kept:
        return "nothing"
    lacking = [name for name in value["players"] if name not in kept]
    if not lacking:
        return "everything"
    if len(lacking) < len(kept) and len(kept) > 3:
        return "all but " + ", ".join(lacking)
    return " + ".join(kept)


def signed(number: float) -> str:
    """Three decimals with a sign; nothing has none."""
    text = f"{number:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _with(score: float, bounds: Sequence[float] | None) -> str:
    return f"{scored(score)} {_span(bounds)}".strip()


def _bounds(spans: Sequence[Sequence[float]] | None, i: int) -> tuple[float, float] | None:
    return None if spans is None else (spans[0][i], spans[1][i])


def _told(bounds: Sequence[float] | None) -> str:
    if not bounds or bounds[0] <= 0 <= bounds[1]:
        return "" if not bounds else "not told from none"
    return "need each other" if bounds[0] > 0 else "replace each other"


def _span(bounds: Sequence[float] | None) -> str:
    """An interval that may lie below 0, as ``[−0.012, 0.034]``; empty if there is none."""
    return "" if not bounds else f"[{bounds[0]:.3f}, {bounds[1]:.3f}]".replace("-", "−")
