"""`WindowSpec`: how recordings are cut; `WindowChanges`: what a user wants otherwise."""

from __future__ import annotations

import math
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal, get_args

from maestro_ts.errors import ConfigError, nearest

__all__ = ["LabelRule", "Period", "WindowChanges", "WindowSpec", "resolve"]

LabelRule = Literal["inside", "majority", "start", "end"]
Period = float | Literal["session"]


@dataclass(frozen=True)
class WindowSpec:
    """How recordings are cut.

    Parameters
    ----------
    duration_s : float or None
        None: one window per recording (trials).
    step_s : float or None
        From one window's begin to the next; `duration_s` if None.
    label_rule : {"inside", "majority", "start", "end"}
        ``inside``: one interval covers the window; windows begin where the interval does.
        By the other rules windows begin where the recording does. ``majority``: the label of at
        least `purity` of the window; none if two labels have that. ``start``, ``end``: the label
        at the window's first or last instant; none if there are two. Where there is no label, a
        window is left out. Of a window that reaches past the recording's end the part inside
        is asked.
    purity : float
        0.5 to 1, for ``majority``. A stretch without label counts as no label's.
    min_inside : float
        Above 0, to 1: the share of a window that lies in its recording. Below 1, windows that
        reach past the recording's end are kept; what is beyond is missing. It needs `duration_s`.
    min_coverage : float
        0 to 1: a window in which every modality has a smaller share of its samples is left out.
        Expected are `rate_hz` times the duration; of a modality without a rate any valid sample is
        enough; static ones do not count.
    baseline_s : float, "session" or None
        Every channel of a recording is centred and scaled by its mean and deviation in so many
        first seconds, in which no window begins; None: values are as they are. ``session``: in the
        whole recording, which is not known before its end. See `signals.baseline`.
    """

    duration_s: float | None = None
    step_s: float | None = None
    label_rule: LabelRule = "inside"
    purity: float = 0.5
    min_inside: float = 1.0
    min_coverage: float = 0.0
    baseline_s: Period | None = None

    def __post_init__(self) -> None:
        for name in ("duration_s", "step_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} must be positive, got {value!r}.")
        if self.label_rule not in get_args(LabelRule):
            raise ConfigError(
                f"label_rule {self.label_rule!r} is none.",
                fix=nearest(str(self.label_rule), get_args(LabelRule)),
            )
        if not 0.5 <= self.purity <= 1:
            raise ConfigError(f"purity must lie in [0.5, 1], got {self.purity!r}.")
        if self.purity != 0.5 and self.label_rule != "majority":
            raise ConfigError(
                f"purity is given with label_rule {self.label_rule!r}.",
                fix="Say label_rule majority.",
            )
        if not 0 < self.min_inside <= 1:
            raise ConfigError(f"min_inside must lie in (0, 1], got {self.min_inside!r}.")
        if self.min_inside != 1 and self.duration_s is None:
            raise ConfigError("min_inside needs duration_s: a recording lies inside itself.")
        if not 0 <= self.min_coverage <= 1:
            raise ConfigError(f"min_coverage must lie in [0, 1], got {self.min_coverage!r}.")
        self._check_baseline()

    def _check_baseline(self) -> None:
        if self.baseline_s is None or self.baseline_s == "session":
            return
        if isinstance(self.baseline_s, str) or not 0 < self.baseline_s < math.inf:
            raise ConfigError(
                f"baseline_s must be seconds above 0 or 'session', got {self.baseline_s!r}."
            )
        if self.duration_s is None:
            raise ConfigError(
                "baseline_s needs duration_s: a window of the whole recording begins within the "
                "baseline.",
                fix="Give a duration, or baseline_s session.",
            )

    @property
    def first_s(self) -> float:
        """No window begins before this time of its recording."""
        return self.baseline_s if isinstance(self.baseline_s, float | int) else 0.0

    def values(self) -> dict[str, Any]:
        """Plain values for JSON: duration and step, and of the others what is not the default."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.default is not MISSING}
        usual = asdict(WindowSpec())
        return {k: v for k, v in own.items() if v != usual[k] or k in ("duration_s", "step_s")}

    def label_text(self) -> str:
        """How a window gets its label, in one sentence."""
        if self.label_rule == "inside":
            return "A window lies entirely within one label."
        if self.label_rule == "majority":
            return f"A window has the label of at least {self.purity:.0%} of it, if there is one."
        return f"A window has the label at its {self.label_rule}."

    def baseline_text(self) -> str:
        """What values are relative to, in a sentence or two; "" where they are as they are."""
        if self.baseline_s is None:
            return ""
        known = "Every channel of a recording is centred and scaled by its mean and deviation in"
        if self.baseline_s == "session":
            return f"{known} the whole recording, which no live use knows."
        return f"{known} the first {self.baseline_s:g} s, in which no window begins."


@dataclass(frozen=True)
class WindowChanges:
    """What is to be otherwise than a data set's own way of cutting; None: as it is there.

    Parameters are those of `WindowSpec`. A duration without a step gives windows that follow each
    other; a baseline of 0 s is none.
    """

    duration_s: float | None = None
    step_s: float | None = None
    label_rule: LabelRule | None = None
    purity: float | None = None
    min_inside: float | None = None
    min_coverage: float | None = None
    baseline_s: Period | None = None

    def apply(self, known: WindowSpec) -> WindowSpec:
        """The known way of cutting with these changes.

        Raises
        ------
        ConfigError
            The result does not fit together.
        """
        given: dict[str, Any] = {k: v for k, v in asdict(self).items() if v is not None}
        own = asdict(known)
        if self.duration_s is not None:
            own["step_s"] = None
        if self.label_rule not in (None, "majority"):
            own["purity"] = WindowSpec.purity
        if self.baseline_s == 0:
            given["baseline_s"] = None
        return WindowSpec(**own | given)


def resolve(asked: WindowSpec | WindowChanges | None, known: WindowSpec) -> WindowSpec:
    """How to cut: as asked as a whole, or the known way with the changes that are asked for."""
    if asked is None:
        return known
    return asked if isinstance(asked, WindowSpec) else asked.apply(known)
