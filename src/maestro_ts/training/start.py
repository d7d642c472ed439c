"""`Start`: a run whose statistics and weights a training begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.model.adoption import adopt
from maestro_ts.model.freezing import Frozen
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import members_of
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows
from maestro_ts.training.objective import Objective
from maestro_ts.training.run import LoadedModel, Run

__all__ = ["Start"]

FREE = {
    "model": {"dropout", "linear_member", "members", "precision"},
    "budget": {"start", "price", "softness", "anneal_share"},
}


class Start:
    """A finished run, pre-trained or trained, to begin with.

    Parameters
    ----------
    folder : Path
    recipe : Recipe
        Of the new training: what shapes symbols and network must be as in the run.
    added : sequence of str
        Modalities that the run lacks and the new model gets.
    freeze : bool
        Train only the parts of the added modalities and the head.

    Raises
    ------
    RunError
        No finished run.
    ConfigError
        Another model, settings of another shape, or nothing that could be added.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, added: Sequence[str] = (), *, freeze: bool = False
    ) -> None:
        self.folder, self.added, self.freeze = folder, tuple(added), freeze
        self.model: LoadedModel = Run(folder).load_model(pretrained=True)
        self.networks = members_of(self.model.network, Maestro)
        _check_shape(self.model.recipe, recipe, folder)
        known = [name for name in self.added if name in self.model.schema]
        if known:
            raise ConfigError(
                f"the run has a modality {known[0]!r} already.",
                where=str(folder),
                fix="Leave it out of the modalities to add.",
            )

    @classmethod
    def of(
        cls,
        folder: str | Path | None,
        recipe: Recipe,
        added: Sequence[str] = (),
        *,
        freeze: bool = False,
    ) -> Start | None:
        """None without a folder; then nothing can be added to it or frozen of it either."""
        if folder is not None:
            return cls(Path(folder), recipe, added, freeze=freeze)
        if added or freeze:
            raise ConfigError(
                f"{'adding modalities' if added else 'freezing'} needs a run to start from.",
                fix="Name it: init (--init RUN).",
            )
        return None

    def joined(self, windows: Windows) -> Windows:
        """The windows in the run's schema with the added modalities; those they lack are absent.

        Raises
        ------
        DataError
            A modality that the run lacks and that is not added, other channels or another rate.
        """
        schema, given = self.model.schema, windows.schema
        for name in self.added:
            if name not in given:
                raise DataError(f"no modality {name!r} to add.", fix=nearest(name, given.names))
        unknown = [n for n in given.names if n not in schema and n not in self.added]
        if unknown:
            raise DataError(
                f"the run has no modality {unknown[0]!r}.",
                where=str(self.folder),
                fix=f"{nearest(unknown[0], schema.names)} "
                f"If it is a new sensor, add it: --add-modality {unknown[0]}",
            )
        return windows.with_schema(Schema([*schema, *(given[name] for name in self.added)]))

    def front_end(self, windows: Windows) -> FrontEnd:
        """The run's front end; of added modalities it learns from these training windows."""
        front_end = self.model.front_end
        assert isinstance(front_end, SymbolFrontEnd)
        front_end.symbolizer.extend(windows)
        return front_end

    def give(self, network: Network, classes: NDArray[Any], objective: Objective) -> None:
        """Put the run's weights into a new network; the head's only for the same outputs.

        Several members get those of the run's members in turn.
        """
        same = self.model.classes.tolist() == classes.tolist()
        same = same and self.model.labelled and isinstance(objective, type(self.model.objective))
        members = members_of(network, Maestro)
        for member, old in zip(members, cycle(self.networks), strict=False):
            taken = adopt(member, old, head=same)
            if self.freeze:
                inner = {name: part for name, part in taken.items() if not name.startswith("head.")}
                member.frozen = Frozen(member, inner)


def _check_shape(old: Recipe, new: Recipe, folder: Path) -> None:
    """Refuse settings under which the run's weights would not mean the same."""
    before, now = _shape(old), _shape(new)
    other = [f"{key}={now[key]} (run: {before[key]})" for key in now if now[key] != before[key]]
    if other:
        raise ConfigError(
            f"these settings differ from the run's: {', '.join(other)}.",
            where=str(folder),
            fix="Start with the recipe and settings that the run was made with.",
        )


def _shape(recipe: Recipe) -> Mapping[str, Any]:
    """Settings that decide what symbols and weights mean, by dotted name."""
    tree = recipe.model_dump()
    found = {"model_kind": recipe.model_kind}
    for group in ("symbols", "model", "budget"):
        free = FREE.get(group, set())
        found |= {f"{group}.{k}": v for k, v in tree[group].items() if k not in free}
    placed = recipe.experts.placement != "none"
    experts = {"count", "top_k", "hidden_multiple", "shared_multiple"} if placed else set()
    return found | {
        f"experts.{k}": v for k, v in tree["experts"].items() if k in experts | {"placement"}
    }
