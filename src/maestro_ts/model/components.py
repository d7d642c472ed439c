"""What the parts of MAESTRO are called when their cost is counted."""

from __future__ import annotations

__all__ = ["component"]

ENDS = {
    "embeddings": "embedding",
    "words": "embedding",
    "summaries": "embedding",
    "duration": "embedding",
    "budget": "budget gate",
    "head": "head",
}
STAGES = ("encoders", "fusion")
KINDS = {
    "attention": "attention",
    "distil": "convolution",
    "feed_forward": "feed-forward",
    "mixer": "feed-forward",
    "shared": "feed-forward",
}


def component(module: str, *, weighted: bool, experts: bool) -> str:
    """Name of the component to which a matrix product belongs.

    Parameters
    ----------
    module : str
        Qualified name, e.g. ``fusion.0.attention.project``.
    weighted : bool
        One factor is a weight: in attention that is a projection.
    experts : bool
        The fusion's mixer is a mixture of experts.
    """
    first, *inner = module.split(".")
    if first not in STAGES:
        return ENDS.get(first, "other")
    part = next((word for word in inner if word in KINDS), "attention")
    if part == "attention" and weighted:
        return f"{first}: projections"
    return f"{first}: {'experts' if part == 'mixer' and experts else KINDS[part]}"
