"""A run's model → a folder with one file that another runtime executes, checked before it is there.

``model.onnx`` or ``model.pt2``, and ``export.json`` (`description`). The input is what the front
end makes of windows: symbols, summaries and presence; or samples, of which the file makes them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch

from maestro_ts.atomic import replaced_folder
from maestro_ts.deploy.description import describe
from maestro_ts.deploy.feed import Exported
from maestro_ts.deploy.golden import Golden, golden_symbols
from maestro_ts.deploy.golden_samples import golden_samples
from maestro_ts.deploy.onnx_file import onnx_runner, quantised, require_onnx, write_onnx
from maestro_ts.deploy.runner import Runner
from maestro_ts.deploy.torch_file import torch_runner, write_torch
from maestro_ts.errors import ConfigError, RunError
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.graph.members import graph_of
from maestro_ts.model.symbol_graph.network import SampleGraph
from maestro_ts.training.objective import ClassObjective
from maestro_ts.training.run import LoadedModel, Run

__all__ = ["LIMIT", "Agreement", "Export", "export_run", "runner_of"]

LIMIT = 1e-4  # largest difference of a logit from the model's
FILES = {"onnx": "model.onnx", "torch": "model.pt2"}
SIDECAR = "export.json"

Format = Literal["onnx", "torch"]


@dataclass(frozen=True)
class Agreement:
    """How an export and the model compare on the golden batch.

    Attributes
    ----------
    windows : int
    largest_difference : float
        Of a logit.
    same_class : float
        Share of windows with the same most probable class.
    """

    windows: int
    largest_difference: float
    same_class: float


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes
    ----------
    file : Path
    bytes : int
    agreement : Agreement
        Of the file; with weights of 8 bits nothing limits it.
    graph : Exported
    golden : Golden
    """

    file: Path
    bytes: int
    agreement: Agreement
    graph: Exported
    golden: Golden


def export_run(
    folder: Path,
    out: Path,
    format: Format,
    *,
    samples: bool = False,
    int8: bool = False,
    overwrite: bool = False,
) -> Export:
    """Write a finished run's model for another runtime; nothing is left of one that differs.

    Parameters
    ----------
    folder : Path
        Run folder.
    out : Path
    format : {"onnx", "torch"}
    samples : bool
        The file takes samples on the regular grid of their rates, and makes symbols itself.
    int8 : bool
        Weights of 8 bits (ONNX only). The model is checked before they are rounded.
    overwrite : bool

    Raises
    ------
    ConfigError
        A model that has no graph or no classes, or a format that has no 8-bit weights; samples
        that lie on no grid.
    RunError
        No such run; an output folder that exists; logits that differ by more than `LIMIT`.
    MissingExtraError
        The packages of the extra ``export`` are not installed.
    """
    if format not in FILES:
        raise ConfigError(f"unknown format {format!r}.", fix="Use onnx or torch.")
    if int8 and format != "onnx":
        raise ConfigError("weights of 8 bits need --format onnx.")
    _check_out(out, overwrite)
    if format == "onnx":
        require_onnx()
    model = Run(folder).load_model()
    if not isinstance(model.objective, ClassObjective):
        raise ConfigError(
            "this run has no classes; only runs of one class of several can be exported so far.",
            where=str(folder),
        )
    if model.recipe.model_kind != "maestro":
        raise ConfigError(
            f"a model of the kind {model.recipe.model_kind!r} cannot be exported.",
            where=str(folder),
            fix="Only maestro can.",
        )
    graph, golden = _with_golden(model, samples)
    with replaced_folder(out) as partial:
        file = partial / FILES[format]
        example = [x[:2].contiguous() for x in golden.given]
        (write_onnx if format == "onnx" else write_torch)(graph, example, file)
        agreement = compare(runner_of(file), golden)
        if not agreement.largest_difference <= LIMIT:  # NaN is an excess as well
            raise RunError(
                f"the exported model differs from the run's by {agreement.largest_difference:.2g} "
                f"in a logit, more than {LIMIT:g}; nothing was written.",
                where=str(folder),
            )
        if int8:
            rounded = partial / "rounded.onnx"
            quantised(file, rounded)
            rounded.replace(file)
            agreement = compare(runner_of(file), golden)
        description = describe(model, graph)
        description |= {"file": file.name, "int8": int8, "agreement": asdict(agreement)}
        (partial / SIDECAR).write_text(json.dumps(description, indent=1) + "\n")
        size = file.stat().st_size
    return Export(out / FILES[format], size, agreement, graph, golden)


def runner_of(file: Path, threads: int = 1) -> Runner:
    """The runtime of an exported file."""
    if file.suffix == ".onnx":
        return onnx_runner(file, threads)
    return torch_runner(file)


def compare(run: Runner, golden: Golden) -> Agreement:
    """Run golden windows, all at once and the first one alone, in another runtime."""
    found, expected = run(golden.given), golden.logits
    alone = run([x[:1].contiguous() for x in golden.given])
    difference = torch.cat([found - expected, alone - expected[:1]]).abs().max()
    same = (found.argmax(dim=1) == expected.argmax(dim=1)).double().mean()
    return Agreement(len(expected), float(difference), float(same))


def _with_golden(model: LoadedModel, samples: bool) -> tuple[Exported, Golden]:
    graph = graph_of(model.network)
    if not samples:
        return graph, golden_symbols(model.network, graph)
    front_end, duration_s = model.front_end, float(model.extra["duration_s"])
    assert isinstance(front_end, SymbolFrontEnd)
    whole = SampleGraph(front_end.symbolizer, graph, duration_s)
    return whole, golden_samples(model.network, whole, front_end, duration_s)


def _check_out(out: Path, overwrite: bool) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if out.is_file() or not (out / SIDECAR).exists():
        raise RunError(
            "exists and is no exported model; it is not overwritten.",
            where=str(out),
            fix="Choose another --out.",
        )
    if not overwrite:
        raise RunError(
            "the output folder exists.",
            where=str(out),
            fix="Use --overwrite to replace it, or another --out.",
        )
