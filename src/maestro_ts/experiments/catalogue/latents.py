"""Where windows lie in the network's space, with everything present and with sensors missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.evaluation.statistics import mean_and_deviation
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.look import Look, Opened, Tree, nothing_hidden
from maestro_ts.report.latents import latent_sections
from maestro_ts.signals.masks import hide
from maestro_ts.signals.modality import Schema
from maestro_ts.training.device import threads
from maestro_ts.training.embedding import embed

__all__ = ["LATENTS", "neighbour_scores"]

WINDOWS = 1000
NEIGHBOURS = 10
RATES = (0.0, 0.4, 0.8)
SCORES = ("silhouette", "class_agreement", "neighbours_kept")

Vectors = NDArray[np.float32]


def neighbour_scores(
    whole: Vectors, seen: Vectors, labels: NDArray[np.str_], k: int = NEIGHBOURS
) -> dict[str, float]:
    """Whether windows lie among their like.

    Parameters
    ----------
    whole, seen : (n, D)
        Embeddings with everything present, and as they are asked about.
    labels : (n,)

    Returns
    -------
    dict with
        ``class_agreement``: share of the k nearest other windows, with everything present, that
        have the window's class; ``neighbours_kept``: share of them that are its k nearest with
        everything present too.
    """
    k = min(k, len(whole) - 1)
    near, before = _nearest(whole, seen, k), _nearest(whole, whole, k)
    kept = [len(set(a) & set(b)) / k for a, b in zip(near.tolist(), before.tolist(), strict=True)]
    return {
        "class_agreement": float((labels[near] == labels[:, None]).mean()),
        "neighbours_kept": float(np.mean(kept)),
    }


def _nearest(among: Vectors, asked: Vectors, k: int) -> NDArray[np.intp]:
    """The k windows nearest to each, (n, k), never itself."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=k + 1).fit(among).kneighbors(asked, return_distance=False)
    own = found == np.arange(len(asked))[:, None]
    own[~own.any(axis=1), -1] = True  # itself is not among them: leave the farthest out
    return np.asarray(found[~own].reshape(len(asked), k))


def _at(seen: Opened) -> Tree:
    """Scores at each missing rate, and a map by the two main axes of the complete windows."""
    from sklearn.decomposition import PCA
    from sklearn.metrics import silhouette_score

    windows = seen.some(WINDOWS)
    labels = np.asarray(windows.labels).astype(str)
    with threads(1):
        vectors = [
            embed(
                seen.front_end,
                seen.trained,
                hide(windows, Condition("modality", rate).mask(windows)),
            )
            for rate in RATES
        ]
    axes = PCA(2, random_state=0).fit(vectors[0])
    several = 1 < len(np.unique(labels)) < len(labels)
    return {
        "n": len(windows),
        "labels": labels.tolist(),
        "subjects": windows.subjects.astype(str).tolist(),
        "explained": axes.explained_variance_ratio_.round(4).tolist(),
        "rates": [
            {
                "rate": rate,
                "silhouette": float(silhouette_score(x, labels)) if several else 0.0,
                **neighbour_scores(vectors[0], x, labels),
                "map": axes.transform(x).round(4).tolist(),
            }
            for rate, x in zip(RATES, vectors, strict=True)
        ],
    }


def _joined(each: Sequence[Tree], schema: Schema) -> Tree:
    """Mean scores; the map of the first model alone, since each has a space of its own."""
    rates = []
    for i, rate in enumerate(RATES):
        row: Tree = {"rate": rate}
        for score in SCORES:
            mean, deviation = mean_and_deviation([one["rates"][i][score] for one in each])
            row |= {score: mean, f"{score}_deviation": deviation}
        rates.append(row)
    return {
        "rates": rates,
        "neighbours": NEIGHBOURS,
        "map": {key: value for key, value in each[0].items() if key != "rates"}
        | {"points": [one["map"] for one in each[0]["rates"]]},
        "models": [{key: one[key] for key in ("fold", "seed", "n")} for one in each],
    }


LATENTS = Experiment(
    name="latents",
    title="Where windows lie",
    question="Do windows lie by their class in the network's space, and do they stay there when "
    "sensors are missing?",
    plan=nothing_hidden,
    entrants=("maestro",),
    cells_of="inside",
    look=Look(_at, _joined, latent_sections),
)
