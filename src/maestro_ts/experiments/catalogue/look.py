"""`Look`: what an experiment finds inside fitted models, instead of comparing their scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.evaluation.protocol import Condition
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import members_of
from maestro_ts.recipe import Recipe
from maestro_ts.report.blocks import Section
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows

__all__ = ["Look", "Opened", "nothing_hidden"]

Tree = dict[str, Any]


@dataclass(frozen=True)
class Opened:
    """One fitted model and windows of people it has not seen.

    Attributes
    ----------
    fold, seed : int
    front_end : FrontEnd
    network : Network or None
        In evaluation; None where the experiment asks for no training.
    classes : list of str
        In the order of the network's outputs.
    test : Windows
        Labelled.
    """

    fold: int
    seed: int
    front_end: FrontEnd
    network: Network | None
    classes: list[str]
    test: Windows

    @property
    def maestro(self) -> Maestro:
        """The network, or the first of several whose mean is the answer."""
        return members_of(self.trained, Maestro)[0]

    @property
    def trained(self) -> Network:
        """The network of an experiment that trains."""
        assert self.network is not None
        return self.network

    def some(self, most: int) -> Windows:
        """At most so many test windows, evenly from all of them."""
        n = len(self.test)
        return self.test if n <= most else self.test[np.linspace(0, n - 1, most).astype(int)]


@dataclass(frozen=True)
class Look:
    """What is done with fitted models.

    Attributes
    ----------
    at : callable (Opened) -> dict
        The numbers of one model, as plain values.
    joined : callable (list of dict, Schema) -> dict
        Those of all folds and seeds as one; each has ``fold`` and ``seed`` too.
    sections : callable (summary) -> list of Section
        Figures and tables of what was found.
    trained : bool
        Whether a network is needed; otherwise the front end alone is fitted.
    check : callable (Recipe), or None
        Refuses a recipe whose model has nothing of the kind, before anything is fitted.
    """

    at: Callable[[Opened], Tree]
    joined: Callable[[Sequence[Tree], Schema], Tree]
    sections: Callable[[Mapping[str, Any]], list[Section]]
    trained: bool = True
    check: Callable[[Recipe], None] | None = None


def nothing_hidden(schema: Schema, quick: bool) -> list[Condition]:
    """The plan of an experiment that hides sensors itself: models are fitted as for any test."""
    return [Condition("modality", 0.0)]
