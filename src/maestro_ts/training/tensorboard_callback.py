"""Training in TensorBoard: the loss of every step, everything else once an epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro_ts.errors import MissingExtraError
from maestro_ts.training.callbacks import Callback, EpochReport

__all__ = ["TensorBoardCallback"]


class TensorBoardCallback(Callback):
    """Write event files, which ``tensorboard --logdir FOLDER`` shows; needs the extra ``track``.

    Parameters
    ----------
    folder : str or Path
        Of one training: two in one folder would draw one zigzag.

    Raises
    ------
    MissingExtraError
        When training begins, where TensorBoard is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def on_begin(self, steps: int, done: int) -> None:
        """Open a file; what an interrupted training wrote after its last whole epoch goes."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError.of("tensorboard", "track", "TensorBoardCallback") from error
        writer: Any = SummaryWriter
        self._writer = writer(str(self.folder), purge_step=done + 1 if done else None)

    def on_step(self, step: int, steps: int, loss: float) -> None:
        """The loss of a batch, as ``step/loss``."""
        self._writer.add_scalar("step/loss", loss, step)

    def on_epoch(self, report: EpochReport) -> None:
        """What was measured, as ``epoch/…`` over steps; one can look while training goes on."""
        for name, value in report.measured.items():
            self._writer.add_scalar(f"epoch/{name}", value, report.step)
        self._writer.flush()

    def on_end(self) -> None:
        """Close the file."""
        self._writer.close()
        self._writer = None
