"""How much time one symbol stands for (the paper's Table 17)."""

from __future__ import annotations

from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.sensitivity import two_rates
from maestro_ts.experiments.entrants import Entrant

__all__ = ["WORD_LENGTH"]

PUBLISHED_HZ = 32.0

VARIANTS = {
    **{
        f"tokens-{count}": Entrant(f"{count} tokens a window", {"symbols.tokens": count})
        for count in (8, 16, 64, 128)
    },
    **{
        f"paper-word-{length}": Entrant(
            f"published hyper-parameters, word length {length}",
            {"symbols.bin_s": length / PUBLISHED_HZ},
            recipe="paper",
        )
        for length in (4, 8)
    },
}

WORD_LENGTH = Experiment(
    name="word-length",
    title="Time that a symbol stands for",
    question="How short must the words be, and what do short ones cost?",
    plan=two_rates,
    entrants=("maestro", *list(VARIANTS)[:4], "maestro-paper", *list(VARIANTS)[4:]),
    own=VARIANTS,
    costs=True,
)
