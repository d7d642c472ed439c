"""The whole MAESTRO network, top to bottom (Mohapatra et al., NeurIPS 2025, section 3).

symbols → tokens (per modality) → budget → encoders → one packed sequence → fusion → head
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.model.attention import Attention
from maestro_ts.model.budget import Budget
from maestro_ts.model.components import component
from maestro_ts.model.distil import distilled_length
from maestro_ts.model.embedding import SymbolEmbedding, embed, sinusoidal_positions
from maestro_ts.model.encoder import EncoderLayer
from maestro_ts.model.experts import Experts
from maestro_ts.model.feed_forward import FeedForward
from maestro_ts.model.freezing import Frozen
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.fused import Fused
from maestro_ts.model.fusion import FusionLayer
from maestro_ts.model.heads import ExpertHead, Head
from maestro_ts.model.linear import LinearMember
from maestro_ts.model.members import Members
from maestro_ts.model.roster import Roster, Rows
from maestro_ts.model.shapes import shapes
from maestro_ts.model.spans import Spans
from maestro_ts.model.stacked import add_to_members
from maestro_ts.model.words import WordEmbedding
from maestro_ts.recipe import Recipe
from maestro_ts.symbols.symbolizer import Symbolizer
from maestro_ts.symbols.views import SUMMARY_FEATURES

__all__ = ["Maestro", "front_end", "network"]


def front_end(recipe: Recipe) -> FrontEnd:
    """MAESTRO's front end (registry hook)."""
    return SymbolFrontEnd(recipe.symbols)


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Network:
    """MAESTRO's network for a fitted front end (registry hook)."""
    assert isinstance(fitted, SymbolFrontEnd)
    networks: list[Network] = [
        Maestro(fitted.symbolizer, n_outputs, recipe) for _ in range(recipe.model.members)
    ]
    if recipe.model.linear_member:
        networks.append(LinearMember(fitted.symbolizer, n_outputs, recipe))
    return networks[0] if len(networks) == 1 else Members(networks)


class Maestro(Network):
    """See the module's docstring; every step of `forward` is one method, in order.

    Parameters
    ----------
    symbolizer : Symbolizer
        Fitted; says how many channels, views and tokens each modality has.
    outputs : int
        Classes K.
    recipe : Recipe
    """

    # bfloat16 tells 32 queries from 33 only just: a budget could not learn in such steps.
    exact = ("budget.",)
    embeds = True
    separable = True

    def __init__(self, symbolizer: Symbolizer, outputs: int, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.shapes = shapes(symbolizer, recipe)
        self.shared = recipe.model.encoder == "shared"
        width, count = recipe.model.width, len(self.shapes)
        self.embeddings = nn.ModuleList(self._embedding(s.channels, s.views) for s in self.shapes)
        self.summaries = nn.ModuleDict(
            {
                str(m): self._embedding(s.channels, len(SUMMARY_FEATURES))
                for m, s in enumerate(self.shapes)
                if s.summary
            }
        )
        self.duration = self._embedding(1, 1) if symbolizer.duration_varies else None
        lengths = sorted({s.length for s in self.shapes})
        self.groups = [[m for m, s in enumerate(self.shapes) if s.length == n] for n in lengths]
        self.encoders = nn.ModuleList(
            self._encoder(1 if self.shared else len(group), lengths[-1] if self.shared else length)
            for length, group in list(zip(lengths, self.groups, strict=True))[: self.shared or None]
        )
        longest = max(s.encoded for s in self.shapes)
        modality = 0.02 * torch.randn(count, width)
        if recipe.model.modality_embedding:
            self.modality = nn.Parameter(modality)
        else:
            self.register_buffer("modality", torch.zeros_like(modality), persistent=False)
        self.position = nn.Parameter(0.02 * torch.randn(longest, width))
        if recipe.model.absent != "symbols":
            self.missing = nn.Parameter(0.02 * torch.randn(count, width))
        self.fusion = nn.ModuleList(self._fusion_layer() for _ in range(recipe.model.fusion_layers))
        if recipe.experts.placement == "head":
            self.head: nn.Module = ExpertHead(width, outputs, recipe.experts)
        else:
            self.head = Head(width, outputs, recipe.model.dropout)
        self.frozen: Frozen | None = None
        self.words = self._words()
        # Last: a network with a gate starts from the same weights as one without.
        self.budget = Budget(count, width, recipe.budget)
        for m, shape in enumerate(self.shapes):
            table = sinusoidal_positions(shape.length, width)
            self.register_buffer(f"positions_{m}", table, persistent=False)

    # ---------------------------------------------------------------- parts

    def _embedding(self, channels: int, views: int) -> SymbolEmbedding:
        symbols = self.recipe.symbols
        return SymbolEmbedding(
            channels, views, symbols.alphabet, self.recipe.model.width, symbols.embedding
        )

    def _words(self) -> WordEmbedding | None:
        worded = [m for m, s in enumerate(self.shapes) if s.words]
        if not worded:
            return None
        symbols, model = self.recipe.symbols, self.recipe.model
        count = self.shapes[worded[0]].words
        return WordEmbedding(worded, count, symbols.alphabet, model.width, model.dropout)

    def _attention(self, members: int, longest: int, beta: float) -> Attention:
        model = self.recipe.model
        return Attention(
            members,
            model.width,
            model.heads,
            longest=longest,
            beta=beta,
            dense=model.attention == "dense",
            dropout=model.dropout,
            soft_width=self.recipe.budget.softness,
        )

    def _encoder(self, members: int, length: int) -> nn.ModuleList:
        """Layers of the encoders of `members` modalities with one token length."""
        model, beta = self.recipe.model, self.recipe.budget.beta
        layers = []
        for _ in range(model.encoder_layers):
            layers.append(
                EncoderLayer(
                    members,
                    model.width,
                    self._attention(members, length, beta),
                    distil=model.encoder_distil,
                    multiple=model.feed_forward_multiple,
                    dropout=model.dropout,
                )
            )
            length = distilled_length(length) if model.encoder_distil else length
        return nn.ModuleList(layers)

    def _fusion_layer(self) -> FusionLayer:
        model, experts, budget = self.recipe.model, self.recipe.experts, self.recipe.budget
        beta = budget.fusion_beta or budget.beta
        shared = None
        if experts.placement == "fusion":
            mixer: Experts | FeedForward = Experts(model.width, model.width, experts)
            if experts.shared_multiple is not None:
                shared = FeedForward(1, model.width, experts.shared_multiple, model.dropout)
        else:
            mixer = FeedForward(1, model.width, model.feed_forward_multiple, model.dropout)
        return FusionLayer(
            model.width,
            self._attention(1, sum(s.tokens for s in self.shapes), beta),
            distil=model.fusion_distil,
            mixer=mixer,
            shared=shared,
            dropout=model.dropout,
        )

    # -------------------------------------------------------------- forward

    def forward(self, batch: Batch) -> Output:
        """Logits, budgets and expert shares of a batch of symbols."""
        fused = self.fuse(batch)
        return replace(fused.output, logits=self.head(self._pool(fused)))

    def pooled(self, batch: Batch) -> Tensor:
        """What the head is given: one vector per window, [B, D]."""
        return self._pool(self.fuse(batch))

    def fuse(self, batch: Batch) -> Fused:
        """Everything before the pooling."""
        there = batch.host_present
        if self.recipe.model.absent == "symbols":
            there = torch.ones_like(there)
        roster = Roster(there, self.groups, batch.present.device)
        tokens = self._embed(batch, roster)
        budgets = self._budgets(batch, roster, tokens)
        encoded = self._encode(roster, tokens, budgets)
        fused, spans, real, used, kinds = self._assemble(batch, roster, encoded)
        owner, shares = spans.owner, []
        for layer in self.fusion:
            fused, spans, share = layer(fused, spans)
            if share is not None:
                shares.append(share)
        tokens_of = torch.zeros(len(batch), dtype=torch.int64, device=owner.device)
        output = Output(
            logits=fused.new_zeros(len(batch), 0),
            aux_loss=self.budget.price(budgets, batch.present) if self.training else None,
            budgets=budgets,
            expert_share=torch.stack(shares, dim=1) if shares else None,
            tokens=tokens_of.index_add(0, owner, real.long()),
        )
        return Fused(fused, spans, real, used, kinds, output)

    def _embed(self, batch: Batch, roster: Roster) -> list[Tensor]:
        """Symbols → tokens [R, L, D] of each group, with sinusoidal positions."""
        tokens = []
        for rows in roster.groups:
            inputs = [batch.inputs[self.shapes[m].name] for m in rows.members]
            x = embed([self.embeddings[m] for m in rows.members], _of_rows(inputs, rows))
            if self.words is not None:
                x = self.words(x, rows.members, self._words_of(batch, rows), rows.sizes)
            table = self.get_buffer(f"positions_{rows.members[0]}").to(x.dtype)
            if self.shared:
                x = add_to_members(x, table + self.modality[rows.members, None], rows.sizes)
            else:
                x = x + table
            tokens.append(x)
        return tokens

    def _words_of(self, batch: Batch, rows: Rows) -> list[Tensor]:
        """Words [R_m, L, F] of the modalities that have any."""
        worded = [(self.shapes[m], w) for m, w in zip(rows.members, rows.windows, strict=True)]
        given = [(batch.extras[f"words/{s.name}"], w) for s, w in worded if s.words]
        return [x if len(windows) == len(x) else x[windows] for x, windows in given]

    def _budgets(self, batch: Batch, roster: Roster, tokens: list[Tensor]) -> Tensor:
        """Budgets [B, M] from availability and each modality's own summary."""
        modalities, width = len(self.shapes), self.recipe.model.width
        # Not `mean`, which copies rounded numbers into exact ones first.
        means = torch.cat([x.sum(dim=1) / x.shape[1] for x in tokens])
        cells = torch.cat([rows.cells for rows in roster.groups])
        blank = means.new_zeros(len(batch) * modalities, width)
        summaries = blank.index_copy(0, cells, means).view(-1, modalities, width)
        # The gate may stay float32 where the rest is rounded.
        precise = next(self.budget.parameters(), summaries).dtype
        result: Tensor = self.budget(batch.present, summaries.to(precise))
        return result

    def _encode(self, roster: Roster, tokens: list[Tensor], budgets: Tensor) -> list[Tensor]:
        """Encode every modality, [R, L', D] of each group; absent ones not at all."""
        encoded = []
        for g, (rows, x) in enumerate(zip(roster.groups, tokens, strict=True)):
            if not len(x):
                shorter = self.shapes[rows.members[0]].encoded
                encoded.append(x.new_zeros(0, shorter, x.shape[2]))
                continue
            u = budgets.flatten()[rows.cells]
            encoder = self.encoders[0 if self.shared else g]
            assert isinstance(encoder, nn.ModuleList)
            for layer in encoder:
                # The budget is in units of each layer's ln L.
                queries = self.budget.queries(u, x.shape[1])
                x = layer(x, queries, [len(x)] if self.shared else rows.sizes)
            encoded.append(x)
        return encoded

    def _assemble(
        self, batch: Batch, roster: Roster, encoded: list[Tensor]
    ) -> tuple[Tensor, Spans, Tensor, Tensor, list[int]]:
        """One sequence per window: its present tokens; an absent modality is one token.

        Returns
        -------
        fused : [N, D]; spans : Spans; real : [N], bool, tokens that carry data
        used : [B, S], bool; kinds : list of int
        """
        width, modalities = self.recipe.model.width, len(self.shapes)
        pool: list[Tensor] = []
        slots: list[list[Tensor]] = [[] for _ in self.shapes]  # of each modality, [B, tokens]
        filled = 0

        def add(x: Tensor, members: list[int]) -> None:
            nonlocal filled
            for m, place in zip(members, roster.places(members, x.shape[1], filled), strict=True):
                slots[m].append(place)
            pool.append(x.reshape(-1, width))
            filled += len(pool[-1])

        for rows, x in zip(roster.groups, encoded, strict=True):
            table = self.position[self.aligned(x.shape[1])] + self.modality[rows.members, None]
            add(add_to_members(x, table, rows.sizes), rows.members)
        summarised = [m for m, shape in enumerate(self.shapes) if shape.summary]
        if summarised:
            rows = roster.rows(summarised)
            inputs = [
                # The course of a window it sees from its tokens.
                batch.extras[f"summary/{self.shapes[m].name}"][..., : len(SUMMARY_FEATURES)]
                for m in summarised
            ]
            x = embed([self.summaries[str(m)] for m in summarised], _of_rows(inputs, rows))
            add(add_to_members(x[:, None], self.modality[summarised, None], rows.sizes), summarised)
        after_data = filled
        columns = [place for of_one in slots for place in of_one]
        kinds = [m for m, of_one in enumerate(slots) for x in of_one for _ in range(x.shape[1])]
        if self.recipe.model.absent != "symbols":
            # Without missing tokens a window with nothing still gets them: the learned prior.
            silent = ~roster.there
            if self.recipe.model.absent == "none":
                silent = silent & ~roster.there.any(dim=1, keepdim=True)
            columns.append(torch.where(silent, filled + torch.arange(modalities), -1))
            pool.append(self.modality + self.missing)
            kinds += range(modalities)
            filled += modalities
        if self.duration is not None:
            columns.append(filled + torch.arange(len(batch))[:, None])
            pool.append(self.duration(batch.extras["duration"][:, None, None]))
            kinds.append(modalities)
        places = torch.cat(columns, dim=1)
        spans = Spans.of_slots(places >= 0, roster.device)
        ordered = places[spans.order]
        used = ordered >= 0
        index = ordered[used].to(roster.device, non_blocking=True)
        return torch.cat(pool).index_select(0, index), spans, index < after_data, used, kinds

    def aligned(self, tokens: int) -> Tensor:
        """Rows of the position table for a stream, aligned in time with the longest one."""
        place = (torch.arange(tokens) + 0.5) * len(self.position) / tokens
        return place.long().to(self.position.device)

    def _pool(self, fused: Fused) -> Tensor:
        """Mean over the tokens that carry data; over the missing ones when there are no others.

        Over all tokens after a distillation, which mixes both kinds.
        """
        x, spans, real = fused.tokens, fused.spans, fused.real
        blank = x.new_zeros(len(spans.order), 1)
        weights = x.new_ones(len(x), 1)
        if len(real) == len(x):
            carrying = blank.index_add(0, spans.owner, real[:, None].to(x.dtype))
            weights = (real[:, None] | (carrying == 0)[spans.owner]).to(x.dtype)
        total = blank.index_add(0, spans.owner, weights)
        summed = blank.expand(-1, x.shape[1]).index_add(0, spans.owner, x * weights)
        return summed / total

    def component(self, module: str, *, weighted: bool) -> str:
        """See `components`."""
        experts = self.recipe.experts.placement == "fusion"
        return component(module, weighted=weighted, experts=experts)

    # ------------------------------------------------------------- training

    def set_progress(self, share: float) -> None:
        """Anneal the soft edge of the budgets to the exact one."""
        softness = max(0.0, 1.0 - share / self.recipe.budget.anneal_share)
        learned = self.recipe.budget.rule == "fractional"
        for module in self.encoders.modules():
            if isinstance(module, Attention):
                module.softness = softness if learned else 0.0

    def counted(self) -> list[Tensor]:
        """Tokens that each expert served."""
        return [module.load for module in self.modules() if isinstance(module, Experts)]

    def after_step(self) -> None:
        """Balance the experts, unless they are to stay as they are."""
        if self.frozen is not None:
            self.frozen.hold()
            return
        for module in self.modules():
            if isinstance(module, Experts):
                module.after_step()


def _of_rows(inputs: list[Tensor], rows: Rows) -> list[Tensor]:
    """What the windows that have each modality bring of it."""
    return [
        x if len(windows) == len(x) else x[windows]
        for x, windows in zip(inputs, rows.windows, strict=True)
    ]
