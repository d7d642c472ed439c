"""What each part is worth: the recipe with one part left out or replaced (the paper's Table 15)."""

from __future__ import annotations

from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.missingness import rates_plan
from maestro_ts.experiments.entrants import Entrant

__all__ = ["ABLATION"]

VARIANTS = {
    "symbols-as-numbers": Entrant("a symbol enters as its number", {"symbols.embedding": "id"}),
    "symbols-in-a-table": Entrant("a free vector per symbol", {"symbols.embedding": "table"}),
    "no-shape": Entrant("no view of shape", {"symbols.views": ["level", "spread"]}),
    "no-level": Entrant("no view of level", {"symbols.views": ["shape", "spread"]}),
    "no-spread": Entrant("no view of spread", {"symbols.views": ["shape", "level"]}),
    "one-view": Entrant("shape is the only view", {"symbols.views": ["shape"]}),
    "no-words": Entrant("no dictionary", {"symbols.dictionary": 0}),
    "no-course": Entrant("no order of bins in the summary", {"symbols.course": False}),
    "no-linear-member": Entrant("the network alone", {"model.linear_member": False}),
    "two-networks": Entrant("two networks", {"model.members": 2}),
    "no-summary": Entrant("no summary tokens", {"symbols.summary": False}),
    "mean-for-missing": Entrant(
        "the training mean for what is missing, as if measured", {"symbols.missing": "mean"}
    ),
    "mean-and-mask": Entrant(
        "an absent modality as tokens that say so: mean and mask", {"model.absent": "symbols"}
    ),
    "no-modality-embedding": Entrant(
        "tokens are not told their modality", {"model.modality_embedding": False}
    ),
    "no-missing-token": Entrant("nothing enters for an absent modality", {"model.absent": "none"}),
    "no-modality-dropout": Entrant(
        "no modality hidden in training", {"curriculum.modality_max": 0.0}
    ),
    "no-segment-dropout": Entrant(
        "no segment hidden in training", {"curriculum.segment_probability": 0.0}
    ),
    "fixed-budget": Entrant(
        "the same budget for all", {"budget.rule": "fixed", "budget.price": 0.0}
    ),
    "dense-attention": Entrant(
        "dense attention, no budget",
        {"model.attention": "dense", "budget.rule": "fixed", "budget.price": 0.0},
    ),
    "experts": Entrant("with sparse experts", {"experts.placement": "fusion"}),
    "no-augmentation": Entrant("training windows as recorded", {"augmentation.max_windows": 0}),
    "no-average": Entrant("last weights, no moving average", {"training.average_decay": None}),
}

ABLATION = Experiment(
    name="ablation",
    title="What each part is worth",
    question="What does the score lose when one part is left out or replaced?",
    plan=rates_plan,
    entrants=("maestro", "maestro-zero", *VARIANTS),
    own=VARIANTS,
)
