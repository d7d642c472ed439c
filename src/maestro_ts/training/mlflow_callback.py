"""Training in MLflow: what an epoch measured, as metrics over steps."""

from __future__ import annotations

from typing import Any

from maestro_ts.errors import MissingExtraError
from maestro_ts.training.callbacks import Callback, EpochReport

__all__ = ["MLflowCallback"]


class MLflowCallback(Callback):
    """Log to MLflow's active run, or to one of its own; needs the extra ``track``.

    Where runs are kept and what they are called is said to MLflow itself (``MLFLOW_TRACKING_URI``,
    ``mlflow.set_experiment``); single steps are not logged, for each would be a request.

    Raises
    ------
    MissingExtraError
        When training begins, where MLflow is not installed.
    """

    def __init__(self) -> None:
        self._mlflow: Any = None
        self._own = False

    def on_begin(self, steps: int, done: int) -> None:
        """Start a run, unless there is one."""
        try:
            import mlflow
        except ImportError as error:
            raise MissingExtraError.of("mlflow-skinny", "track", "MLflowCallback") from error
        self._mlflow, self._own = mlflow, mlflow.active_run() is None
        if self._own:
            mlflow.start_run()

    def on_epoch(self, report: EpochReport) -> None:
        """Log what was measured."""
        self._mlflow.log_metrics(report.measured, step=report.step)

    def on_end(self) -> None:
        """End a run of one's own; one that was there may have more to log."""
        if self._own:
            self._mlflow.end_run()
        self._mlflow = None
