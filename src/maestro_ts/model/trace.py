"""What happened inside the fusion: its attention's tokens and its experts' choices, by modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.model.attention import Attention
from maestro_ts.model.experts import Experts
from maestro_ts.model.fusion import FusionLayer
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.spans import Spans

__all__ = ["LayerTrace", "trace"]


@dataclass(frozen=True)
class LayerTrace:
    """One fusion layer, as it ran.

    Attributes
    ----------
    attention : Attention
    tokens : [N, D]
        What its attention was given.
    spans : Spans
        Of these tokens.
    sources : [N], int64
        The modality that each token stands for; M for the window's duration. After a distillation
        that of the middle one of the tokens that it mixed.
    chosen : [N', k], int64, or None
        The experts that served each token; None for a layer without experts.
    chosen_sources, chosen_windows : [N'], int64
        Modality and window of these tokens.
    """

    attention: Attention
    tokens: Tensor
    spans: Spans
    sources: Tensor
    chosen: Tensor | None
    chosen_sources: Tensor
    chosen_windows: Tensor


def trace(network: Maestro, batch: Batch) -> list[LayerTrace]:
    """Run a network in evaluation up to its head and tell of every fusion layer."""
    given: list[tuple[Tensor, Spans]] = []
    chosen: dict[int, Tensor] = {}

    def enters(layer: nn.Module, inputs: tuple[Tensor, Spans]) -> None:
        given.append(inputs)

    def chose(mixer: nn.Module, inputs: Any, result: tuple[Tensor, Tensor]) -> None:
        chosen[len(given) - 1] = result[1]

    layers = [layer for layer in network.fusion if isinstance(layer, FusionLayer)]
    hooks = [layer.register_forward_pre_hook(enters) for layer in layers]
    hooks += [
        layer.mixer.register_forward_hook(chose)
        for layer in layers
        if isinstance(layer.mixer, Experts)
    ]
    try:
        with torch.no_grad():
            sources = network.fuse(batch).sources
    finally:
        for hook in hooks:
            hook.remove()
    found = []
    for i, (layer, (tokens, spans)) in enumerate(zip(layers, given, strict=True)):
        after, mixed = sources, spans
        if layer.distil is not None:
            after, mixed = _distilled(sources, spans), spans.distilled()
        found.append(
            LayerTrace(
                layer.attention, tokens, spans, sources, chosen.get(i), after, mixed.owner.cpu()
            )
        )
        sources = after
    return found


def _distilled(sources: Tensor, spans: Spans) -> Tensor:
    """Every second token of each window is the middle of what one token is made of."""
    return torch.cat([block.of(sources[:, None])[:, ::2].flatten() for block in spans.blocks])
