"""What stands between the fusion and the head: the tokens of a batch, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from maestro_ts.contract.output import Output
from maestro_ts.model.spans import Spans

__all__ = ["Fused"]


@dataclass(frozen=True)
class Fused:
    """The fused tokens of a batch.

    Attributes
    ----------
    tokens : [N, D]
    spans : Spans
    real : [N] before any distillation of the fusion, bool
        Tokens that carry data.
    used : [B, S], bool, on the CPU
        The slots of a sequence that each window fills, windows in the order of the spans.
    kinds : list of int, S
        The modality that a slot stands for, there or missing; M for the window's duration.
    output : Output
        Without logits.
    """

    tokens: Tensor
    spans: Spans
    real: Tensor
    used: Tensor
    kinds: list[int]
    output: Output

    @property
    def sources(self) -> Tensor:
        """Kind of each token before any distillation of the fusion, [N], int64, on the CPU."""
        return torch.tensor(self.kinds).expand_as(self.used)[self.used]
