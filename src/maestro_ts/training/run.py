"""`Run`: the folder of a trained model. No pickle anywhere; every file is there whole or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts._version import __version__
from maestro_ts.atomic import replaced_folder, write_bytes, write_text
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import ConfigError, RunError
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.modality import Schema
from maestro_ts.training.objective import Objective, objective_from

__all__ = ["FORMAT", "LoadedModel", "Run", "replacing"]

FORMAT = 1


@dataclass(frozen=True)
class LoadedModel:
    """What a run folder holds of a model."""

    recipe: Recipe
    schema: Schema
    classes: NDArray[Any]
    front_end: FrontEnd
    network: Network
    extra: dict[str, Any]
    objective: Objective

    @property
    def labelled(self) -> bool:
        """False: pre-trained without labels, and the network has no head."""
        return not self.extra.get("pretrained", False)


class Run:
    """Paths and contents of a run folder.

    Parameters
    ----------
    folder : Path

    Notes
    -----
    ``settings.yaml`` recipe · ``schema.json`` modalities in order, classes, format version ·
    ``frontend.safetensors`` fitted statistics · ``model.safetensors`` best weights ·
    ``resume/state.safetensors`` while unfinished · ``training.jsonl`` · ``predictions.parquet`` ·
    ``results.json`` · ``sensors.json`` if they were valued · ``calibration.json`` and
    ``calibration.parquet`` (what it was made of) if it was calibrated · ``report.html`` ·
    ``README.md`` model card · ``monitor.safetensors`` what its sensors were like.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.settings = self.folder / "settings.yaml"
        self.schema = self.folder / "schema.json"
        self.front_end = self.folder / "frontend.safetensors"
        self.model = self.folder / "model.safetensors"
        self.state = self.folder / "resume" / "state.safetensors"
        self.log = self.folder / "training.jsonl"
        self.monitor = self.folder / "monitor.safetensors"
        self.predictions = self.folder / "predictions.parquet"
        self.results = self.folder / "results.json"
        self.sensors = self.folder / "sensors.json"
        self.calibration = self.folder / "calibration.json"
        self.calibration_table = self.folder / "calibration.parquet"
        self.report = self.folder / "report.html"
        self.card = self.folder / "README.md"

    @property
    def finished(self) -> bool:
        """The model is there whole."""
        return self.model.exists() and self.schema.exists() and not self.state.exists()

    def check(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Refuse a folder that `begin` would refuse, and change nothing.

        Raises
        ------
        RunError
            It exists with something in it, and neither `resume` nor `overwrite` was asked for;
            or it is no run folder at all.
        """
        if self.folder.is_file():
            raise RunError("is a file, not a folder.", where=str(self.folder))
        if self.folder.exists() and any(self.folder.iterdir()) and not resume:
            if not overwrite:
                raise RunError(
                    "the output folder exists.",
                    where=str(self.folder),
                    fix="Use --resume to go on with it, --overwrite to start anew, "
                    "or another --out.",
                )
            if not self._is_ours():
                raise RunError(
                    "not a run folder; it is not overwritten.",
                    where=str(self.folder),
                    fix="Choose another --out.",
                )

    def begin(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Make the folder ready, after `check`: empty unless it is resumed."""
        self.check(resume=resume, overwrite=overwrite)
        if self.folder.exists() and any(self.folder.iterdir()) and not resume:
            shutil.rmtree(self.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot be made: {error}.", where=str(self.folder)) from error

    def _is_ours(self) -> bool:
        own = (self.settings, self.schema, self.results, self.state)
        return any(p.exists() for p in own) or any(self.folder.glob("fold-*/settings.yaml"))

    def save_settings(self, recipe: Recipe) -> None:
        """Write the recipe."""
        write_text(self.settings, recipe.to_yaml())

    def save_model(
        self,
        recipe: Recipe,
        schema: Schema,
        classes: NDArray[Any],
        front_end: FrontEnd,
        network: Network,
        extra: Mapping[str, Any],
    ) -> None:
        """Write everything that `load_model` needs; the weights last."""
        from safetensors.numpy import save as arrays_to_bytes
        from safetensors.torch import save as tensors_to_bytes

        self.save_settings(recipe)
        state = {k: np.ascontiguousarray(v) for k, v in front_end.state().items()}
        # Bytes first, then our own write: safetensors hides a full disk in an error of its own.
        write_bytes(self.front_end, arrays_to_bytes(state))
        description = {
            "format": FORMAT,
            "version": __version__,
            "modalities": schema.to_list(),
            "classes": {"dtype": classes.dtype.str, "values": classes.tolist()},
            **extra,
        }
        write_text(self.schema, json.dumps(description, indent=1) + "\n")
        tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
        write_bytes(self.model, tensors_to_bytes(tensors))

    def save_log(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the training log as JSON lines."""
        write_text(self.log, "".join(json.dumps(row) + "\n" for row in rows))

    def finish(self) -> None:
        """Drop what only an unfinished run needs."""
        shutil.rmtree(self.state.parent, ignore_errors=True)

    def load_log(self) -> list[dict[str, Any]]:
        """The training log; empty when there is none."""
        if not self.log.exists():
            return []
        try:
            return [json.loads(line) for line in self.log.read_text().splitlines()]
        except ValueError as error:
            raise RunError(f"damaged: {error}.", where=str(self.log)) from error

    def load_model(
        self, device: torch.device | str = "cpu", *, pretrained: bool = False
    ) -> LoadedModel:
        """Read a finished run.

        Parameters
        ----------
        pretrained : bool
            One without labels will do.

        Raises
        ------
        RunError
            No such folder, an unfinished or damaged run, or one written by a newer version.
        """
        description = self._description()
        try:
            recipe = load_recipe(self.settings)
        except ConfigError as error:
            raise RunError(f"settings do not fit this version: {error}") from error
        front_end, arrays = build_front_end(recipe), self._arrays()
        try:
            schema = Schema.from_list(description["modalities"])
            stored = description["classes"]
            classes = np.array(stored["values"], dtype=np.dtype(stored["dtype"]))
            front_end = front_end.restore(schema, arrays)
            objective = objective_from(description.get("objective"))
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"damaged: {error!r}.", where=str(self.folder)) from error
        unlabelled = bool(description.get("pretrained", False))
        if unlabelled and not pretrained:
            raise RunError(
                "was pre-trained without labels: it predicts nothing yet.",
                where=str(self.folder),
                fix=f"Train it with labels: maestro-ts fit … --init {self.folder}",
            )
        # Building draws initial weights that are replaced at once: leave the caller's state alone.
        with torch.random.fork_rng(devices=[]):
            outputs = max(objective.outputs(len(classes)), 1)
            network = build_network(front_end, outputs, recipe)
        if unlabelled:
            network.head = torch.nn.Identity()
        self._load_weights(network)
        network.to(device).eval()
        extra = {k: v for k, v in description.items() if k not in ("modalities", "classes")}
        return LoadedModel(recipe, schema, classes, front_end, network, extra, objective)

    def _description(self) -> dict[str, Any]:
        if not self.folder.is_dir():
            raise RunError("no such run folder.", where=str(self.folder))
        if not self.schema.exists() or not self.model.exists():
            if self.state.exists():
                raise RunError(
                    "the training of this run is not finished.",
                    where=str(self.folder),
                    fix="Go on with it: repeat the command with --resume.",
                )
            raise RunError("not a run folder.", where=str(self.folder))
        try:
            description: dict[str, Any] = json.loads(self.schema.read_text())
        except ValueError as error:
            raise RunError(f"not JSON: {error}.", where=str(self.schema)) from error
        if not isinstance(description, dict):
            raise RunError("not a description of a model.", where=str(self.schema))
        if description.get("format", 0) > FORMAT:
            raise RunError(
                f"run format {description['format']}, written by maestro-ts "
                f"{description.get('version', '?')}; this is {__version__} and reads up to "
                f"format {FORMAT}.",
                where=str(self.schema),
                fix="Upgrade maestro-ts.",
            )
        return description

    def _arrays(self) -> dict[str, NDArray[np.float64]]:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays: dict[str, NDArray[np.float64]] = load_file(self.front_end)
        except (SafetensorError, OSError) as error:
            raise RunError(f"damaged: {error}.", where=str(self.front_end)) from error
        return arrays

    def _load_weights(self, network: Network) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            network.load_state_dict(load_file(self.model))
        except (SafetensorError, OSError, RuntimeError) as error:
            raise RunError(
                f"the weights do not fit this run: {error}", where=str(self.model)
            ) from error


@contextmanager
def replacing(folder: Path, *, overwrite: bool) -> Iterator[Run]:
    """A run folder written beside `folder` and put in its place when the block ends well.

    After an error the old folder is as it was.
    """
    Run(folder).check(overwrite=overwrite)
    with replaced_folder(folder) as partial:
        yield Run(partial)
