"""The budget: how many queries each modality may attend with, learned per window.

``u = β · g`` with a gate ``g ∈ (0, 1)`` per modality. Rules:

* ``fractional`` (ours): the gate sees the availability of all modalities and each one's own
  summary; ``v = u · ln L`` queries stay real, ranks are attended with weight
  ``clip(v − r, 0, 1)``, so the gate has a gradient at the margin.
* ``paper`` (formulation A): gate input ``m + ε(1 − m)``, ``⌊u⌋ · ⌈ln L⌉`` queries, may be 0.
* ``code`` (formulation B): gate input ``m``, ``⌈u + 10⁻³(1 − m)⌉ · ⌈ln L⌉`` queries.
* ``fixed``: ``u = β``; there is no gate.

A and B pass no gradient, as published; they are there to be compared with.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maestro_ts.recipe import BudgetSettings

__all__ = ["Budget", "ceil_log", "rank_weights"]

EPSILON = 1e-3


class Budget(nn.Module):
    """Gate and rounding.

    Parameters
    ----------
    modalities : int
    width : int
    settings : BudgetSettings
    """

    def __init__(self, modalities: int, width: int, settings: BudgetSettings) -> None:
        super().__init__()
        self.settings = settings
        self.rule, self.beta = settings.rule, settings.beta
        if self.rule != "fixed":
            self.availability = nn.Sequential(
                nn.Linear(modalities, modalities), nn.ReLU(), nn.Linear(modalities, modalities)
            )
            self._start_equal()
        if self.rule == "fractional":
            self.utility = nn.Parameter(torch.zeros(modalities, width))

    @torch.no_grad()
    def _start_equal(self) -> None:
        """Every modality starts at the same share of β: what parts them later is learned.

        A drawn start would last: a price moves all logits alike and never closes the gap between
        them. The first map starts as the identity, so that no hidden unit is dead from the outset.
        """
        first, last = self.availability[0], self.availability[2]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        nn.init.eye_(first.weight)
        nn.init.zeros_(first.bias)
        last.weight.mul_(0.01)
        nn.init.constant_(last.bias, math.log(self.settings.start / (1 - self.settings.start)))

    def forward(self, present: Tensor, summaries: Tensor) -> Tensor:
        """Budgets u.

        Parameters
        ----------
        present : [B, M], bool
        summaries : [B, M, D]
            Mean of each modality's embedded tokens, 0 where absent.

        Returns
        -------
        [B, M]; 0 for an absent modality except under ``code``
        """
        there = present.to(summaries.dtype)
        if self.rule == "fixed":
            return self.beta * there
        seen = there + EPSILON * (1 - there) if self.rule == "paper" else there
        logits = self.availability(seen)
        if self.rule == "fractional":
            logits = logits + (summaries * self.utility).sum(dim=-1) / math.sqrt(
                summaries.shape[-1]
            )
        budgets: Tensor = self.beta * torch.sigmoid(logits)
        if self.rule == "code":
            return budgets * there + EPSILON * (1 - there)
        return budgets * there

    def queries(self, budgets: Tensor, length: int) -> Tensor:
        """Number of attended queries v for a stream of `length` tokens; same shape as `budgets`."""
        if self.rule == "paper":
            return torch.floor(budgets).detach() * ceil_log(length)
        if self.rule == "code":
            return torch.ceil(budgets).detach() * ceil_log(length)
        v = budgets * math.log(max(length, 2))
        # At least one query, straight through: below it the gradient must not vanish, or a
        # modality that once fell there could never come back.
        return v + (1.0 - v).clamp(min=0.0).detach()

    def most(self, length: int) -> int:
        """Queries that a stream of `length` tokens can attend with at most."""
        if self.rule in ("paper", "code"):
            return math.ceil(self.beta) * ceil_log(length)
        return max(1, math.ceil(self.beta * math.log(max(length, 2))))

    def price(self, budgets: Tensor, present: Tensor) -> Tensor | None:
        """What the mean budget of the present modalities costs."""
        if self.rule != "fractional" or self.settings.price == 0.0:
            return None
        return self.settings.price * budgets.sum() / present.sum().clamp(min=1)


def ceil_log(length: int) -> int:
    """``⌈ln L⌉``, at least 1: what a budget of 1 is in queries, rounded as published."""
    return math.ceil(math.log(max(length, 2)))


def rank_weights(v: Tensor, ranks: Tensor, softness: float, width: float) -> Tensor:
    """Weight with which the query of rank r is attended.

    ``clip(v − r, 0, 1)``, mixed in the share `softness` with a sigmoid around v of that `width`
    (training only: it spreads the gradient over neighbouring ranks, and anneals away).

    Parameters
    ----------
    v : [B, 1], real number of queries
    ranks : [R], 0 for the query that stands out most
    """
    margin = v - ranks
    weights = margin.clamp(0.0, 1.0)
    if softness > 0.0:
        weights = torch.lerp(weights, torch.sigmoid((margin - 0.5) / width), softness)
    return weights
