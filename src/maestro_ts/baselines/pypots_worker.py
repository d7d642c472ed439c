"""Runs in PyPOTS' own environment, as a script: fits and asks its classifiers.

It reads a line of JSON per request from its input and answers with one on its output; arrays lie
in the request's folder. It imports nothing of this package, which that environment lacks.
"""

from __future__ import annotations

import io
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

# Method → class of PyPOTS, and the settings that it has besides those that all have.
METHODS: dict[str, tuple[str, Any]] = {
    "brits": ("BRITS", lambda own: {"rnn_hidden_size": own["width"]}),
    "saits": (
        "SAITS",
        lambda own: {
            "n_layers": own["layers"],
            "d_model": own["width"],
            "n_heads": own["heads"],
            "d_k": own["width"] // own["heads"],
            "d_v": own["width"] // own["heads"],
            "d_ffn": own["feed_forward"],
            "dropout": own["dropout"],
        },
    ),
}


def build(own: dict[str, Any]) -> Any:
    """An untrained classifier on the CPU, its weights drawn from the seed."""
    name, settings = METHODS[own["method"]]
    import_module("pypots.utils.random").set_random_seed(own["seed"])
    adam = import_module("pypots.optim").Adam
    return getattr(import_module("pypots.classification"), name)(
        n_steps=own["steps"],
        n_features=own["features"],
        n_classes=own["classes"],
        batch_size=own["batch_size"],
        epochs=own["epochs"],
        patience=own["patience"],
        optimizer=adam(lr=own["learning_rate"], weight_decay=own["weight_decay"]),
        device="cpu",
        model_saving_strategy=None,
        verbose=False,
        **settings(own),
    )


def fit(folder: Path, own: dict[str, Any]) -> None:
    """Train on ``train/*`` of ``given.npz``, choose on ``held/*``; leaves ``weights.npz``."""
    with np.load(folder / "given.npz", allow_pickle=False) as given:
        parts = [
            {"X": given[f"{part}/X"], "y": given[f"{part}/y"]}
            for part in ("train", "held")
            if f"{part}/X" in given
        ]
    model = build(own)
    model.fit(*parts)
    state = {name: w.detach().cpu().numpy() for name, w in model.model.state_dict().items()}
    np.savez(folder / "weights.npz", **state)


def predict(folder: Path, own: dict[str, Any]) -> None:
    """Probabilities of ``given.npz`` under ``weights.npz``; leaves ``found.npz``."""
    model = build(own)
    with np.load(folder / "weights.npz", allow_pickle=False) as weights:
        model.model.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights})
    with np.load(folder / "given.npz", allow_pickle=False) as given:
        found = model.predict_proba({"X": given["X"]})
    np.savez(folder / "found.npz", probabilities=np.asarray(found, dtype=np.float64))


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answer every request; one that fails is answered with its error."""
    for line in requests:
        request = json.loads(line)
        reply = {"error": ""}
        try:
            torch.set_num_threads(request["threads"])
            {"fit": fit, "predict": predict}[request["do"]](
                Path(request["folder"]), request["settings"]
            )
        except Exception as error:
            reply["error"] = f"{type(error).__name__}: {error}"
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    # What PyPOTS prints must not get between the replies.
    out = io.TextIOWrapper(os.fdopen(os.dup(1), "wb"), encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, out)
