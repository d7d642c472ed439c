"""What stands beside an exported file: everything that is needed to feed it and to read it."""

from __future__ import annotations

from typing import Any

from maestro_ts._version import __version__
from maestro_ts.deploy.feed import Exported
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import members_of
from maestro_ts.model.symbol_graph.network import SampleGraph
from maestro_ts.symbols.views import summary_names
from maestro_ts.training.run import LoadedModel

__all__ = ["FORMAT", "describe"]

FORMAT = 1


def describe(model: LoadedModel, graph: Exported) -> dict[str, Any]:
    """Plain JSON: inputs in order, streams, classes, and how symbols are made of samples."""
    network = members_of(model.network, Maestro)[0]  # the others are given the same
    assert isinstance(model.front_end, SymbolFrontEnd)
    symbolizer, settings = model.front_end.symbolizer, model.recipe.symbols
    streams = []
    for modality, shape in zip(model.schema.to_list(), network.shapes, strict=True):
        views = symbolizer.views_of(model.schema[shape.name])
        streams.append({**modality, "bins": shape.length, "views": list(views)})
    if isinstance(graph, SampleGraph):
        inputs = _samples(graph)
    else:
        inputs = [_input(name, network) for name in graph.inputs]
    return {
        "format": FORMAT,
        "version": __version__,
        "inputs": inputs,
        "output": {"name": "logits", "type": "float32", "shape": ["batch", len(model.classes)]},
        "classes": model.classes.tolist(),
        "window_s": model.extra.get("duration_s"),
        "baseline_s": model.extra.get("baseline_s"),
        "streams": streams,
        "samples": isinstance(graph, SampleGraph),
        "symbols": {
            "missing": 0,
            "alphabet": settings.alphabet,
            "breakpoints": symbolizer.cuts.tolist(),
            "summary": list(summary_names(settings.course)) if settings.summary else [],
            "dictionary": settings.dictionary,
            "min_share": settings.min_share,
            "interpolate_hz": settings.interpolate_hz,
            "statistics": {name: a.tolist() for name, a in symbolizer.statistics_.items()},
        },
    }


def _samples(graph: SampleGraph) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": "float32", "shape": ["batch", *shape]}
        for name, shape in zip(graph.inputs, graph.shapes.values(), strict=True)
    ]


def _input(name: str, network: Maestro) -> dict[str, Any]:
    kind, _, stream = name.partition("/")
    if kind == "present":
        return {"name": name, "type": "bool", "shape": ["batch", len(network.shapes)]}
    shape: list[int] = []
    if stream:
        found = next(s for s in network.shapes if s.name == stream)
        shape = {
            "symbols": [found.length, found.channels, found.views],
            "words": [found.length, found.words],
            "summary": [found.channels, found.summary],
        }[kind]
    return {"name": name, "type": "uint8", "shape": ["batch", *shape]}
