"""The published formulation of MAESTRO, as a yardstick: per-query gathers, encoders one by one.

Written from the description (docs/method.md, "Size of the `paper` recipe"), to be measured against,
not to be used: what an absent modality costs, what is drawn at evaluation and what is read as a
number are as published. It is held to the speed of the original, so that ratios to it count
(`benchmarks/speed.py` prints the share of the matrix peak that it reaches).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import norm
from torch import Tensor, nn

__all__ = ["Published", "Shape", "multiply_accumulates", "symbols_by_loop"]


@dataclass(frozen=True)
class Shape:
    """Shape S: ten modalities of 128 tokens, as in WESAD."""

    channels: tuple[int, ...] = (3, 1, 1, 1, 1, 1, 3, 1, 1, 1)
    tokens: int = 128
    classes: int = 3
    width: int = 64
    heads: int = 8
    encoder_layers: int = 2
    fusion_layers: int = 2
    experts: int = 4
    beta: float = 5.0
    dropout: float = 0.1


class ProbAttention(nn.Module):
    """Top ``u`` queries attend to all keys, the others take the mean; own keys are sampled."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, budget: int) -> Tensor:
        """[B, L, D] → [B, L, D]."""
        batch, length, width = x.shape
        heads, size = self.heads, width // self.heads
        q = self.query(x).view(batch, length, heads, size).transpose(1, 2)
        k = self.key(x).view(batch, length, heads, size).transpose(1, 2)
        v = self.value(x).view(batch, length, heads, size).transpose(1, 2)
        u = min(length, budget * math.ceil(math.log(length)))
        sampled = torch.randint(length, (length, u), device=x.device)
        gathered = k[:, :, sampled, :]  # [B, H, L, U, e]: every query its own keys
        scores = torch.matmul(q.unsqueeze(-2), gathered.transpose(-2, -1)).squeeze(-2)
        sparsity = scores.max(dim=-1).values - scores.mean(dim=-1)
        top = sparsity.topk(u, sorted=False).indices
        index = top.unsqueeze(-1).expand(-1, -1, -1, size)
        weights = torch.matmul(q.gather(2, index), k.transpose(-2, -1)) / math.sqrt(size)
        attended = torch.matmul(self.dropout(weights.softmax(dim=-1)), v)
        mixed = v.mean(dim=2, keepdim=True).expand(-1, -1, length, -1).clone()
        mixed = mixed.scatter(2, index, attended)
        result: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return result


class Distil(nn.Module):
    """``Conv1d(3, stride 2) + MaxPool(3, stride 2)`` along time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.pool = nn.MaxPool1d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, D] → [B, L', D]."""
        x = x.transpose(1, 2)
        result: Tensor = (self.conv(x) + self.pool(x)).transpose(1, 2)
        return result


class Encoder(nn.Module):
    """One layer of one modality's encoder."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.attention = ProbAttention(width, shape.heads, shape.dropout)
        self.distil = Distil(width)
        self.rise, self.fall = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, budget: int) -> Tensor:
        """[B, L, D] → [B, L', D]."""
        x = self.norm_1(x + self.dropout(self.attention(x, budget)))
        x = self.distil(x)
        fed = self.fall(self.dropout(F.gelu(self.rise(x))))
        result: Tensor = self.norm_2(x + self.dropout(fed))
        return result


class Experts(nn.Module):
    """Top-1 of the raw router logits, one expert after another."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.router = nn.Linear(width, shape.experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
            for _ in range(shape.experts)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, D] → [N, D]."""
        weight, chosen = self.router(x).topk(1, dim=-1)
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows = (chosen[:, 0] == number).nonzero(as_tuple=True)[0]
            if len(rows):
                out[rows] = weight[rows] * expert(x[rows])
        return out


class Fusion(nn.Module):
    """One layer over all modalities' tokens."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention = ProbAttention(shape.width, shape.heads, shape.dropout)
        self.distil = Distil(shape.width)
        self.experts = Experts(shape)
        self.norm_1, self.norm_2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, budget: int) -> Tensor:
        """[B, L, D] → [B, L', D]."""
        x = self.norm_1(x + self.dropout(self.attention(x, budget)))
        x = self.distil(x)
        mixed = self.experts(x.reshape(-1, x.shape[-1])).view(x.shape)
        result: Tensor = self.norm_2(x + self.dropout(mixed))
        return result


class Published(nn.Module):
    """The whole network; symbols enter as numbers and a missing modality is encoded too."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, count = shape.width, len(shape.channels)
        self.inputs = nn.ModuleList(nn.Linear(c, width) for c in shape.channels)
        self.gate = nn.Sequential(nn.Linear(count, count), nn.ReLU(), nn.Linear(count, count))
        self.encoders = nn.ModuleList(
            nn.ModuleList(Encoder(shape) for _ in range(shape.encoder_layers))
            for _ in shape.channels
        )
        self.modality = nn.Parameter(0.02 * torch.randn(count, width))
        self.position = nn.Parameter(0.02 * torch.randn(shape.tokens, width))
        self.fusion = nn.ModuleList(Fusion(shape) for _ in range(shape.fusion_layers))
        self.head = nn.Sequential(
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Dropout(shape.dropout),
            nn.Linear(width, shape.classes),
        )
        self.register_buffer("sinusoid", _sinusoid(shape.tokens, width), persistent=False)
        self.sinusoid: Tensor

    def forward(self, symbols: list[Tensor], present: Tensor) -> Tensor:
        """Per modality [B, L, C] of symbol numbers, and [M] of 0 and 1 for the batch → [B, K]."""
        gate = torch.sigmoid(self.gate(present))
        encoded = []
        for m, numbers in enumerate(symbols):
            share = self.shape.beta * gate[m] + 1e-3 * (1 - present[m])
            budget = int(torch.ceil(share).item())  # no gradient, one synchronisation each
            x = self.inputs[m](numbers * present[m]) + self.sinusoid
            for layer in self.encoders[m]:
                x = layer(x, budget)
            encoded.append(x + self.modality[m] + self.position[: x.shape[1]])
        x = torch.cat(encoded, dim=1)
        for layer in self.fusion:
            x = layer(x, int(self.shape.beta))
        result: Tensor = self.head(x.mean(dim=1))
        return result


def _sinusoid(length: int, width: int) -> Tensor:
    t = torch.arange(length)[:, None]
    rate = torch.exp(-math.log(10000.0) * torch.arange(0, width, 2) / width)
    table = torch.zeros(length, width)
    table[:, 0::2], table[:, 1::2] = torch.sin(t * rate), torch.cos(t * rate)
    return table


def symbols_by_loop(
    values: NDArray[np.float32], words: int, alphabet: int = 20, *, by_word: bool = False
) -> NDArray[np.int64]:
    """SAX window by window and channel by channel, [n, T, C] → [n, words, C].

    Parameters
    ----------
    by_word : bool
        A call for the mean of every word, too.
    """
    cuts = norm.ppf(np.arange(1, alphabet) / alphabet)
    n, length, channels = values.shape
    out = np.zeros((n, words, channels), dtype=np.int64)
    for i in range(n):
        for c in range(channels):
            series = values[i, :, c]
            deviation = series.std()
            z = (series - series.mean()) / (deviation if deviation > 1e-8 else 1.0)
            rows = z[: length // words * words].reshape(words, -1)
            means = np.array([row.mean() for row in rows]) if by_word else rows.mean(axis=1)
            out[i, :, c] = np.searchsorted(cuts, means)
    return out


def multiply_accumulates(shape: Shape, budget: int = 3) -> int:
    """MACs of one window, by the formulas of docs/method.md."""
    width, beta = shape.width, int(shape.beta)

    def layer(length: int, share: int, mixer: int) -> tuple[int, int]:
        u = min(length, share * math.ceil(math.log(length)))
        shorter = (length - 1) // 2 + 1
        count = 4 * length * width**2 + length * u * width + 2 * u * length * width
        return count + 3 * shorter * width**2 + shorter * mixer, shorter

    total = shape.tokens * sum(shape.channels) * width
    fused = 0
    for _ in shape.channels:
        length = shape.tokens
        for _ in range(shape.encoder_layers):
            count, length = layer(length, budget, 8 * width**2)
            total += count
        fused += length
    for _ in range(shape.fusion_layers):
        count, fused = layer(fused, beta, 2 * width**2 + shape.experts * width)
        total += count
    return total + width**2 + width * shape.classes
