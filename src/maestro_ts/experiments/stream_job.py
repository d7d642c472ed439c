"""A run's model on live samples: replayed files, Lab Streaming Layer, MQTT."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maestro_ts.deploy.broker_access import Login, Tls
from maestro_ts.deploy.lsl import Lsl
from maestro_ts.deploy.mqtt import Mqtt
from maestro_ts.deploy.replay import Replay
from maestro_ts.deploy.stream_classifier import StreamClassifier
from maestro_ts.deploy.stream_source import StreamSource
from maestro_ts.errors import ConfigError, DataError
from maestro_ts.estimator import load
from maestro_ts.experiments.learned import Estimator
from maestro_ts.experiments.prediction_job import read_unseen, windows_used
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import check_streams
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.store import is_store
from maestro_ts.signals.window_spec import WindowSpec
from maestro_ts.training.run import Run

__all__ = ["LiveStream", "Timing", "lsl_stream", "mqtt_stream", "replayed_streams"]


Note = Callable[[str], None]


def _quiet(text: str) -> None: ...


class _Notes(Progress):
    """Of all progress, the notes."""

    def __init__(self, tell: Note) -> None:
        self._tell = tell

    def note(self, text: str) -> None:
        self._tell(text)


@dataclass(frozen=True)
class Timing:
    """How windows follow each other and wait; see `StreamClassifier`."""

    stride_s: float | None = None
    tolerance_s: float = 0.25
    timeout_s: float = 5.0
    clock_offsets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LiveStream:
    """A stream that is ready to run.

    Attributes
    ----------
    name : str
        Of the recording that is replayed, or of the source.
    classifier : StreamClassifier
    source : StreamSource
    end_s : float or None
        Where it ends, of a recording.
    """

    name: str
    classifier: StreamClassifier
    source: StreamSource
    end_s: float | None = None

    def metrics(self) -> dict[str, Any]:
        """What became of samples and source, as plain values."""
        return {**self.classifier.metrics().to_dict(), "source": self.source.metrics()}


def replayed_streams(
    folder: Path, file: Path, timing: Timing, note: Note = _quiet
) -> Iterator[LiveStream]:
    """Every recording of some files as a stream of its own, one after another.

    Parameters
    ----------
    folder : Path
        Run folder.
    file : Path
        As for `predict_files`, but recordings: no ``.npz`` and no window store.
    timing : Timing
    note : callable
        Told what was not read.

    Raises
    ------
    DataError
        Windows instead of recordings, no such file, or modalities that are not the model's.
    """
    model = load(folder)
    if not file.exists():
        raise DataError("no such file or folder.", where=str(file))
    if file.suffix == ".npz" or is_store(file):
        raise DataError(
            "holds windows; only recordings can be replayed.",
            where=str(file),
            fix="Give a folder with a schema.yaml, or the data set's files.",
        )
    found = read_unseen(folder, file, _Notes(note), {})
    spec = windows_used(folder) or found.card.windows
    for recording in found.reading.recordings:
        check_streams(recording, model.schema_)
        # A run of trials has no duration; its windows are whole recordings, offline and here.
        own = spec if spec.duration_s else _whole(spec, recording)
        classifier = _classifier(model, own, timing, start_s=0.0)
        yield LiveStream(recording.source, classifier, Replay(recording), recording.duration_s)


def lsl_stream(folder: Path, timing: Timing, note: Note = _quiet) -> LiveStream:
    """Streams of the network whose names are the model's modalities."""
    model = load(folder)
    source = Lsl(model.schema_)
    return _live("lsl", folder, model, source, timing, note)


def mqtt_stream(
    folder: Path,
    timing: Timing,
    *,
    host: str,
    port: int,
    prefix: str,
    client_id: str,
    login: Login | None = None,
    tls: Tls | None = None,
    note: Note = _quiet,
) -> LiveStream:
    """Messages of a broker; see `deploy.mqtt.Mqtt`."""
    model = load(folder)
    source = Mqtt(
        model.schema_, host, port, prefix=prefix, client_id=client_id, login=login, tls=tls
    )
    return _live("mqtt", folder, model, source, timing, note)


def _live(
    name: str,
    folder: Path,
    model: Estimator,
    source: StreamSource,
    timing: Timing,
    note: Note,
) -> LiveStream:
    for text in _unconditioned(folder):
        note(text)
    spec = windows_used(folder) or WindowSpec()
    return LiveStream(name, _classifier(model, spec, timing), source)


def _classifier(
    model: Estimator, spec: WindowSpec, timing: Timing, start_s: float | None = None
) -> StreamClassifier:
    return StreamClassifier(
        model,
        timing.stride_s,
        windows=spec,
        tolerance_s=timing.tolerance_s,
        timeout_s=timing.timeout_s,
        clock_offsets=timing.clock_offsets,
        start_s=start_s,
    )


def _whole(spec: WindowSpec, recording: Recording) -> WindowSpec:
    if not recording.duration_s > 0:
        raise ConfigError("a recording of 0 s cannot be replayed.", where=recording.source)
    return replace(spec, duration_s=recording.duration_s)


def _unconditioned(folder: Path) -> list[str]:
    """What was done to the run's data and is not done to live samples, in sentences."""
    stored = json.loads(Run(folder).schema.read_text())
    layout = stored.get("layout") or {}
    found = []
    for name, modality in sorted(layout.get("modalities", {}).items()):
        done = [what for what in ("filter", "downsample_hz") if modality.get(what)]
        if done:
            found.append(
                f"{name}: the run's data has {' and '.join(done)} of its schema; live samples are "
                "taken as they come: send them so."
            )
    if stored.get("distrust_scale"):
        found.append(
            "The run distrusts scales of recordings; a live stream's are taken as they are."
        )
    return found
