"""Multiply-accumulates of one window through MAESTRO, by formulas written out slowly.

D width, L tokens, n tokens in the fusion, β the largest budget. Counted are products of matrices
and vectors; sums, norms, softmax and products number by number are not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from maestro_ts.model.maestro import Maestro
from maestro_ts.recipe import Recipe

SUMMARY = 6  # statistics of a window per channel


def formulas(
    network: Maestro,
    present: Sequence[str],
    budgets: Mapping[str, float],
    classes: int,
    *,
    duration: bool = False,
) -> dict[str, int]:
    """Component → multiply-accumulates, without components that cost nothing.

    Parameters
    ----------
    network : Maestro
        Asked for the recipe and for names, channels, views and tokens of its modalities only.
    present : sequence of str
    budgets : dict of name to float
        The learned budget u of each modality.
    classes : int
    duration : bool
        The window's duration is a token.
    """
    recipe = network.recipe
    model, experts = recipe.model, recipe.experts
    width = model.width
    cost: Counter[str] = Counter()
    whole = fused = 0
    for shape in network.shapes:
        encoded = shape.length
        for _ in range(model.encoder_layers if model.encoder_distil else 0):
            encoded = half(encoded)
        summary = recipe.symbols.summary
        whole += encoded + summary
        if shape.name not in present and model.absent == "token":
            fused += 1
        if shape.name not in present and model.absent != "symbols":
            continue
        fused += encoded + summary
        slot = {"ordinal": 2, "id": 1, "table": 0}[recipe.symbols.embedding]
        cost["embedding"] += shape.length * slot * shape.channels * shape.views * width
        cost["embedding"] += summary * slot * shape.channels * SUMMARY * width
        shared = recipe.model.encoder == "shared"
        longest = max(s.length for s in network.shapes) if shared else shape.length
        encoder(cost, recipe, shape.length, longest, budgets[shape.name])
    if duration:
        cost["embedding"] += slot * width
        fused += 1
    if recipe.budget.rule != "fixed":
        cost["budget gate"] += 2 * len(network.shapes) ** 2
    for _ in range(model.fusion_layers):
        fused = fusion(cost, recipe, fused, whole)
    if experts.placement == "head":
        cost["head"] += mixture(recipe, 1, classes)
    else:
        cost["head"] += width * width + width * classes
    return {name: macs for name, macs in cost.items() if macs}


def encoder(cost: Counter[str], recipe: Recipe, length: int, longest: int, budget: float) -> None:
    """Layers of one modality: projections 4LD², then 3L'D² and 2mL'D² for FF = D → mD → D.

    `longest` is the longest stream that the weights serve.
    """
    model = recipe.model
    for _ in range(model.encoder_layers):
        beta = recipe.budget.beta
        keys = sampled(beta, longest)
        cost["encoders: projections"] += 4 * length * model.width**2
        queries = budget * math.log(max(length, 2))
        if recipe.budget.rule == "fractional":
            queries = max(queries, 1.0)
        if recipe.budget.rule == "paper":
            queries = math.floor(budget) * math.ceil(math.log(max(length, 2)))
        elif recipe.budget.rule == "code":
            queries = math.ceil(budget) * math.ceil(math.log(max(length, 2)))
        cost["encoders: attention"] += attention(recipe, length, keys, queries)
        if model.encoder_distil:
            length, longest = half(length), half(longest)
            cost["encoders: convolution"] += 3 * length * model.width**2
        hidden = int(model.feed_forward_multiple * model.width)
        cost["encoders: feed-forward"] += 2 * length * model.width * hidden


def fusion(cost: Counter[str], recipe: Recipe, n: int, whole: int) -> int:
    """One layer over n tokens, of `whole` with every modality; returns how many are left."""
    model, experts = recipe.model, recipe.experts
    beta = recipe.budget.fusion_beta or recipe.budget.beta
    queries = beta * math.ceil(math.log(max(n, 2)))
    cost["fusion: projections"] += 4 * n * model.width**2
    cost["fusion: attention"] += attention(recipe, n, sampled(beta, whole), queries)
    if model.fusion_distil:
        n = half(n)
        cost["fusion: convolution"] += 3 * n * model.width**2
    if experts.placement == "fusion":
        cost["fusion: experts"] += mixture(recipe, n, model.width)
        multiple = experts.shared_multiple or 0.0
    else:
        multiple = model.feed_forward_multiple
    cost["fusion: feed-forward"] += 2 * n * model.width * int(model.width * multiple)
    return n


def attention(recipe: Recipe, length: int, keys: int, queries: float) -> int:
    """Scores on the sampled keys and on their mean, and the selected queries with all keys.

    Where every query attends nothing is scored.
    """
    width = recipe.model.width
    if recipe.model.attention == "dense" or queries >= length:
        return 2 * length * length * width
    score = length * keys * width + length * width
    return score + 2 * max(math.ceil(queries), 1) * length * width


def sampled(beta: float, longest: int) -> int:
    """Keys that queries are scored on."""
    return min(longest, math.ceil(beta * math.ceil(math.log(max(longest, 2)))))


def mixture(recipe: Recipe, tokens: int, out: int) -> int:
    """Router and the chosen experts D → h → out."""
    experts, width = recipe.experts, recipe.model.width
    hidden = int(experts.hidden_multiple * width)
    router = tokens * width * experts.count
    return router + tokens * experts.top_k * (width * hidden + hidden * out)


def half(length: int) -> int:
    """Tokens after one distillation."""
    return (length - 1) // 2 + 1
