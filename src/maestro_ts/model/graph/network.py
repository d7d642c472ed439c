"""A fitted `Maestro` as one static graph of tensor operations, for evaluation only.

The same numbers as the network's, without a branch on data and without an index whose size is
data: an absent modality is encoded and left out afterwards, the tokens of a window are brought to
the front of a row of fixed length, a query beyond the budget has weight 0, a token passes every
expert. So it can be exported, compiled, and runs a single window in few operations.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.errors import ConfigError
from maestro_ts.model.distil import distilled_length
from maestro_ts.model.embedding import SymbolEmbedding
from maestro_ts.model.encoder import EncoderLayer
from maestro_ts.model.fusion import FusionLayer
from maestro_ts.model.graph.assembly import Assembly
from maestro_ts.model.graph.embedding import GraphEmbedding
from maestro_ts.model.graph.encoder import GraphEncoderLayer
from maestro_ts.model.graph.fusion import GraphFusionLayer
from maestro_ts.model.graph.layers import GraphExperts
from maestro_ts.model.graph.lengths import Lengths, Rows
from maestro_ts.model.graph.words import GraphWords
from maestro_ts.model.heads import ExpertHead
from maestro_ts.model.maestro import Maestro
from maestro_ts.symbols.views import SUMMARY_FEATURES

__all__ = ["MaestroGraph"]


class MaestroGraph(nn.Module):
    """See the module's docstring; every step of `forward` is one method, in order.

    Parameters
    ----------
    network : Maestro
        Fitted, in evaluation; later changes of its weights need not show in the graph.

    Attributes
    ----------
    inputs : tuple of str
        Names of the positional inputs: keys of `Batch.inputs`, of `Batch.extras`, ``present``.
    """

    def __init__(self, network: Maestro) -> None:
        super().__init__()
        if network.training:
            raise ConfigError("a network in training has no graph.", fix="Call network.eval().")
        shapes, recipe = network.shapes, network.recipe
        names = [s.name for s in shapes]
        summarised = [m for m, s in enumerate(shapes) if s.summary]
        self.inputs = (
            *(f"symbols/{name}" for name in names),
            *(f"words/{s.name}" for s in shapes if s.words),
            *(f"summary/{names[m]}" for m in summarised),
            *(() if network.duration is None else ("duration",)),
            "present",
        )
        self.groups, self.shared = network.groups, network.shared
        self.budget = network.budget
        self.embeddings = nn.ModuleList(_tokens(network, group) for group in self.groups)
        self.names, self.words = names, nn.ModuleDict()
        if network.words is not None:
            for g, group in enumerate(self.groups):
                if any(shapes[m].words for m in group):
                    self.words[str(g)] = GraphWords(network.words, group)
        self.encoders = nn.ModuleList(_encoder(network, g) for g in range(len(self.groups)))
        self.summaries = self.duration = None
        if summarised:
            embeddings = [_embedding(network.summaries[str(m)]) for m in summarised]
            added = network.modality.detach()[summarised, None]
            self.summaries = GraphEmbedding(embeddings, added)
        if network.duration is not None:
            self.duration = GraphEmbedding([network.duration])
        for g, group in enumerate(self.groups):
            self.register_buffer(f"places_{g}", _places(network, group))
        if recipe.model.absent != "symbols":
            self.register_buffer("missing", (network.modality + network.missing).detach())
        order = torch.tensor([m for group in self.groups for m in group]).argsort()
        self.register_buffer("order", order.to(network.modality.device))
        self.assembly = _assembly(network, summarised)
        longest, varies = self.assembly.longest, self.assembly.varies
        self.lengths = Lengths(longest, 0, network.modality.detach())
        self.fusion = nn.ModuleList(
            GraphFusionLayer(_fusion(layer), longest, i * recipe.model.fusion_distil, varies)
            for i, layer in enumerate(network.fusion)
        )
        own = [float(s.tokens) for s in shapes]
        self.register_buffer("tokens", torch.tensor(own).to(self.assembly.order.device))
        head = network.head
        self.head = GraphExperts(head.mixer) if isinstance(head, ExpertHead) else head
        self.eval()

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        """The positional inputs of a batch."""
        named = {f"symbols/{name}": symbols for name, symbols in batch.inputs.items()}
        named |= {**batch.extras, "present": batch.present}
        return tuple(named[name] for name in self.inputs)

    def forward(self, *given: Tensor) -> Tensor:
        """Symbols [B, L, C, V] of each modality, … and presence [B, M] → logits [B, K].

        Parameters
        ----------
        given : Tensor
            As `inputs` names them: uint8 symbols, bool presence.
        """
        named = dict(zip(self.inputs, given, strict=True))
        present = named["present"]
        tokens = self._embed(named)
        encoded = self._encode(tokens, self._budgets(tokens, present))
        x, first = self.assembly(self._pool(encoded, named), present)
        rows = None if first is None else self.lengths(first)
        for layer in self.fusion:
            x, rows = layer(x, first, rows)
        logits: Tensor = self.head(self._mean(x[0], rows, present))
        return logits

    def _embed(self, named: dict[str, Tensor]) -> list[Tensor]:
        """Symbols → tokens [G, B, L, D] of each group of modalities with one token length."""
        symbols = [named[name] for name in self.inputs if name.startswith("symbols/")]
        tokens = [
            embedding([symbols[m] for m in group])
            for embedding, group in zip(self.embeddings, self.groups, strict=True)
        ]
        for g, words in self.words.items():
            assert isinstance(words, GraphWords)
            own = [named[f"words/{self.names[m]}"] for m in words.worded]
            tokens[int(g)] = words(tokens[int(g)], own)
        return tokens

    def _budgets(self, tokens: list[Tensor], present: Tensor) -> Tensor:
        """Budgets [B, M]."""
        means = torch.cat([x.mean(dim=2) for x in tokens]).transpose(0, 1)  # as the groups are
        summaries = means if len(self.groups) == 1 else means[:, self.get_buffer("order")]
        summaries = summaries * present[..., None].to(summaries.dtype)
        precise = next(self.budget.parameters(), summaries).dtype
        result: Tensor = self.budget(present, summaries.to(precise))
        return result

    def _encode(self, tokens: list[Tensor], budgets: Tensor) -> list[Tensor]:
        """Each group through its layers, [G, B, L', D]."""
        encoded = []
        for g, (x, group) in enumerate(zip(tokens, self.groups, strict=True)):
            shape, u = x.shape[:2], budgets[:, group].t()
            if self.shared:
                x, u = x.flatten(0, 1)[None], u.flatten()[None]
            encoder = self.encoders[g]
            assert isinstance(encoder, nn.ModuleList)
            for layer in encoder:
                x = layer(x, u)
            encoded.append(x.view(*shape, *x.shape[2:]) + self.get_buffer(f"places_{g}"))
        return encoded

    def _pool(self, encoded: list[Tensor], named: dict[str, Tensor]) -> Tensor:
        """All tokens that a window may have, [B, P, D], in the order of `_assembly`."""
        pool = [x.transpose(0, 1).flatten(1, 2) for x in encoded]
        batch = pool[0].shape[0]
        if self.summaries is not None:
            symbols = [named[name] for name in self.inputs if name.startswith("summary/")]
            own = [s[:, None, :, : len(SUMMARY_FEATURES)] for s in symbols]
            pool.append(self.summaries(own)[:, :, 0].transpose(0, 1))
        if self.assembly.varies:
            pool.append(self.get_buffer("missing").expand(batch, -1, -1))
        if self.duration is not None:
            pool.append(self.duration([named["duration"][:, None, None, None]])[0])
        return torch.cat(pool, dim=1)

    def _mean(self, x: Tensor, rows: Rows | None, present: Tensor) -> Tensor:
        """[B, N, D] → [B, D]: over the tokens that carry data, as the network pools."""
        distilled = x.shape[1] < self.assembly.longest
        if rows is None:
            own = x if distilled or self.duration is None else x[:, :-1]
            return own.mean(dim=1)
        if distilled:
            return rows.mean(x.transpose(1, 2)[None, :, None])[0, :, 0]
        data = (present * self.get_buffer("tokens")).sum(dim=1, keepdim=True)
        # Where there are none, all others count.
        count = torch.where(data > 0, data, rows.count)
        place = torch.arange(x.shape[1], device=x.device, dtype=count.dtype)
        counted = (place < count).to(x.dtype)
        return (counted[:, None] @ x)[:, 0] / count.to(x.dtype)


def _embedding(module: nn.Module) -> SymbolEmbedding:
    assert isinstance(module, SymbolEmbedding)
    return module


def _fusion(module: nn.Module) -> FusionLayer:
    assert isinstance(module, FusionLayer)
    return module


def _tokens(network: Maestro, group: list[int]) -> GraphEmbedding:
    """Embeddings of a group, with what the network adds to their tokens."""
    added = torch.stack([network.get_buffer(f"positions_{m}") for m in group])
    if network.shared:
        added = added + network.modality.detach()[group, None]
    return GraphEmbedding([_embedding(network.embeddings[m]) for m in group], added)


def _encoder(network: Maestro, group: int) -> nn.ModuleList:
    encoder = network.encoders[0 if network.shared else group]
    assert isinstance(encoder, nn.ModuleList)
    length, layers = network.shapes[network.groups[group][0]].length, []
    for layer in encoder:
        assert isinstance(layer, EncoderLayer)
        layers.append(GraphEncoderLayer(layer, length, network.budget))
        length = distilled_length(length) if layer.distil is not None else length
    return nn.ModuleList(layers)


def _places(network: Maestro, group: list[int]) -> Tensor:
    """What tells the tokens of a group apart in the fusion, [G, 1, L', D]."""
    encoded, table = network.shapes[group[0]].encoded, network.position.detach()
    return (network.modality.detach()[group, None] + table[network.aligned(encoded)])[:, None]


def _assembly(network: Maestro, summarised: list[int]) -> Assembly:
    """Where the tokens of the pool belong: groups first, then summaries."""
    first, starts = 0, []
    for shape in network.shapes:
        starts.append(first)
        first += shape.tokens
    owners: list[int] = []
    places: list[int] = []
    for group in network.groups:
        for m in group:
            encoded = network.shapes[m].encoded
            owners += [m] * encoded
            places += range(starts[m], starts[m] + encoded)
    for m in summarised:
        owners.append(m)
        places.append(starts[m] + network.shapes[m].encoded)
    return Assembly(
        owners,
        places,
        len(network.shapes),
        network.recipe.model.absent,
        network.duration is not None,
        network.modality.device,
    )
