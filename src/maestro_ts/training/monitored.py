"""`Monitored`: whether what a fitted estimator is given is like what it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.evaluation.monitor import Monitor, monitored
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.signals.windows import Windows

if TYPE_CHECKING:
    from maestro_ts.evaluation.verdicts import Verdicts

__all__ = ["Monitored", "learn_monitor"]


class Monitored:
    """``monitor`` for an estimator with a symbolizer."""

    front_end_: FrontEnd
    monitor_: Monitor | None

    if TYPE_CHECKING:

        def _windows(self, X: Any, *, reset: bool) -> Windows: ...

    def monitor(self, X: Any) -> Verdicts:
        """Say which sensors are stuck, saturated or on another scale or level, and what drifted.

        ``predict(monitor(X).trusted)`` predicts as if those were missing there, but the saturated.

        Raises
        ------
        ConfigError
            No record of the training windows: an older run, or no MAESTRO.
        """
        check_is_fitted(self, "network_")
        known = monitored(self.monitor_)
        assert isinstance(self.front_end_, SymbolFrontEnd)
        return known.check(self.front_end_.symbolizer, self._windows(X, reset=False))


def learn_monitor(
    front_end: FrontEnd, windows: Windows, subjects: NDArray[np.str_] | None
) -> Monitor | None:
    """What the sensors are like in training; None for a model that has no symbols."""
    if not isinstance(front_end, SymbolFrontEnd):
        return None
    return Monitor.learn(front_end.symbolizer, windows, subjects)
