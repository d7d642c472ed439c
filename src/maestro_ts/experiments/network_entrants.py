"""The rivals that are networks, as experiments train them: not as MAESTRO's recipe would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["HELD_OUT", "NETWORKS", "NETWORK_TRAINING", "NOTHING_HIDDEN"]

# AdamW with weight decay, warm-up and cosine: the usual training of such networks, and nothing that
# was chosen for MAESTRO but the number of steps: 60 epochs of a small study are a few hundred, and
# a held-out person is one of few to learn from; both made networks far weaker than they are
# (docs/rivals.md).
NETWORK_TRAINING: Mapping[str, Any] = {
    "training.optimizer": "adamw",
    "training.learning_rate": 1e-3,
    "training.weight_decay": 1e-4,
    "training.schedule": "cosine",
    "training.warm_up_share": 0.08,
    "training.gradient_norm": 1.0,
    "training.batch_size": 64,
    "training.epochs": 60,
    "training.min_steps": 2300,
    "training.max_steps": None,
    "training.label_smoothing": 0.0,
    "training.average_decay": None,
    "training.validation_share": 0.0,
    "training.patience": None,
    "augmentation.shift": 0.0,
    "augmentation.stretch": 0.0,
    "augmentation.rotation_deg": 0.0,
    "augmentation.offset": 0.0,
    "augmentation.gain": 0.0,
    "augmentation.slower": 0.0,
}
# The weights that are best on held-out subjects, where there are many.
HELD_OUT: Mapping[str, Any] = {"training.validation_share": 0.15}
NOTHING_HIDDEN: Mapping[str, Any] = {
    "curriculum.modality_max": 0.0,
    "curriculum.segment_probability": 0.0,
}

# Name of an entrant → its title and what it sets besides; its model comes first in the name.
NETWORKS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "transformer": ("Transformer", {}),
    "transformer-paper": (
        "Transformer, published size",
        {"rival.width": 256, "rival.feed_forward": 1024, "rival.norm_first": False},
    ),
    "resnet1d": ("ResNet1D", {}),
    "inceptiontime": ("InceptionTime", {}),
    "inceptiontime-paper": (
        "InceptionTime, five networks, published kernels",
        {"rival.kernel": 40, "rival.members": 5},
    ),
    "late-fusion": ("Late fusion", {}),
    "itransformer": ("iTransformer", {}),
    "itransformer-paper": (
        "iTransformer, published size",
        {
            "rival.width": 512,
            "rival.layers": 8,
            "rival.feed_forward": 512,
            "rival.readout": "mean",
        },
    ),
    "lrtf": ("Low-rank tensor fusion", {}),
    "masked-token-transformer": ("Masked-token Transformer", {}),
    "fusemoe": ("FuseMoE", {}),
    "mult": ("MulT", {}),
    "flexmoe": ("Flex-MoE", {}),
    "shaspec": ("ShaSpec", {}),
    "gru-d": ("GRU-D", {}),
    "brits": ("BRITS, PyPOTS", {"model_kind": "pypots", "rival.method": "brits"}),
    "saits": ("SAITS, PyPOTS", {"model_kind": "pypots", "rival.method": "saits"}),
}
