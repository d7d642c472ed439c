"""Weights of a trained network → one that may have further modalities.

Parts of one modality go by its name; rows of weights that are stacked or tabled by modality go to
the rows of the same modality. What belongs to new modalities stays as it was drawn.
"""

from __future__ import annotations

import torch
from torch import Tensor

from maestro_ts.model.maestro import Maestro

__all__ = ["adopt"]

BY_MODALITY = ("modality", "missing", "budget.utility")  # one row each


@torch.no_grad()
def adopt(new: Maestro, old: Maestro, *, head: bool) -> dict[str, Tensor]:
    """Copy the weights of `old` into `new`.

    Parameters
    ----------
    new, old : Maestro
        Of one recipe; the modalities of `old` are among those of `new`.
    head : bool
        The head too.

    Returns
    -------
    dict of str to Tensor, bool
        For every tensor of `new` that took something: True where it did.
    """
    at = {shape.name: m for m, shape in enumerate(old.shapes)}
    numbers = {m: at[s.name] for m, s in enumerate(new.shapes) if s.name in at}
    values, sources = new.state_dict(), old.state_dict()
    taken = {}
    for name, target in values.items():
        if name.startswith("head.") and not head:
            continue
        source, rows = _source(name, new, old, numbers)
        if source not in sources:
            continue
        mask = torch.zeros(target.shape, dtype=torch.bool)
        given = sources[source].to(target.device)
        if name == "position":
            mask[:] = True
            target.copy_(_stretched(given, new, old, numbers))
        elif rows is None:
            mask[:] = True
            target.copy_(given)
        else:
            to, of = (
                torch.tensor(part, dtype=torch.int64) for part in (list(rows), [*rows.values()])
            )
            if name.startswith("budget.availability") and target.ndim == 2:
                # A square: modality by modality.
                mask[to[:, None], to] = True
                target[to[:, None], to] = given[of[:, None], of]
            else:
                mask[to] = True
                target[to] = given[of]
        taken[name] = mask
    return taken


def _source(
    name: str, new: Maestro, old: Maestro, numbers: dict[int, int]
) -> tuple[str, dict[int, int] | None]:
    """The tensor of `old` that goes into one of `new`, and which rows; None: as a whole."""
    first, _, rest = name.partition(".")
    number, _, inner = rest.partition(".")
    if first in ("embeddings", "summaries"):
        there = numbers.get(int(number))
        return ("", None) if there is None else (f"{first}.{there}.{inner}", None)
    if first == "words":  # words.maps.<modality>.weight
        number, _, inner = inner.partition(".")
        there = numbers.get(int(number))
        return ("", None) if there is None else (f"words.maps.{there}.{inner}", None)
    if first == "encoders" and not new.shared:
        group = new.groups[int(number)]
        for g, known in enumerate(old.groups):
            rows = {
                i: known.index(numbers[m]) for i, m in enumerate(group) if numbers.get(m) in known
            }
            if rows:
                return f"encoders.{g}.{inner}", rows
        return "", None
    if name in BY_MODALITY or name.startswith("budget.availability"):
        return name, numbers
    return name, None


def _stretched(table: Tensor, new: Maestro, old: Maestro, numbers: dict[int, int]) -> Tensor:
    """The table of positions at its new length: old streams find what they found."""
    length = len(new.position)
    stretched = table[((torch.arange(length) + 0.5) * len(table) / length).long()]
    for m in numbers:
        tokens = new.shapes[m].encoded
        stretched[new.aligned(tokens)] = table[old.aligned(tokens)]
    return stretched
