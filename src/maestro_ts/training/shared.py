"""`SharingMixin`: a fitted estimator as a folder to give to others, with a model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from sklearn.utils.validation import check_is_fitted

from maestro_ts.atomic import write_text
from maestro_ts.training.run import replacing

__all__ = ["SharingMixin", "read_card"]

FRONT_MATTER = """---
library_name: maestro-ts
tags: [time-series, sensors, missing-modalities]
---

"""


class SharingMixin:
    """``save_pretrained`` and ``from_pretrained``."""

    def save_pretrained(self, save_directory: str | Path, *, overwrite: bool = False) -> None:
        """Write what others need to use the model, and a card that says what it is.

        Weights, statistics, calibration and what sensors were like, without pickles; a run's
        predictions, results and report stay where they are. ``README.md`` is the run's model card
        (data, split, scores under missing sensors, limits). A model that was fitted in Python has
        no test scores, and its card says so.

        Parameters
        ----------
        save_directory : path
        overwrite : bool
            Replace an older run folder.
        """
        check_is_fitted(self, "network_")
        model: Any = self
        with replacing(Path(save_directory), overwrite=overwrite) as run:
            model.write(run)
            write_text(run.card, FRONT_MATTER + (model.card_ or _bare_card(model)))

    @classmethod
    def from_pretrained(
        cls, save_directory: str | Path, *, device: str = "cpu", precision: str | None = None
    ) -> Self:
        """Read such a folder, or any run folder; the same as `load`."""
        known: Any = cls
        found: Self = known.load(save_directory, device=device, precision=precision)
        return found


def read_card(path: Path) -> str:
    """A model card without its front matter; empty where there is none."""
    text = path.read_text() if path.exists() else ""
    return text.removeprefix(FRONT_MATTER)


def _bare_card(model: Any) -> str:
    """What the estimator itself knows."""
    channels = [
        f"{m.name} ({m.channels} × {'static' if m.static else _rate(m.rate_hz)})"
        for m in model.schema_
    ]
    classes = getattr(model, "classes_", None)
    learned = "a number" if classes is None else ", ".join(map(str, classes))
    parameters = sum(p.numel() for p in model.network_.parameters())
    lines = [
        f"# {model.recipe_.model_kind} of maestro-ts",
        "",
        f"- Recipe: {model.recipe_.name}, {parameters:,} parameters",
        f"- Modalities: {', '.join(channels)}",
        f"- Windows: {model.duration_:g} s",
        f"- Learned: {learned}",
        "",
        "## Limits",
        "",
        "- Fitted in Python and not tested when this was written: nothing is known of its scores.",
        "",
    ]
    return "\n".join(lines)


def _rate(rate_hz: float | None) -> str:
    return "irregular" if rate_hz is None else f"{rate_hz:g} Hz"
