"""`ServedRun`: a trained classifier, and how recordings become its windows."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maestro_ts.errors import ConfigError, DataError, MaestroError, nearest
from maestro_ts.estimator import MaestroClassifier, load
from maestro_ts.evaluation.results import Results
from maestro_ts.signals.conditioning import Conditioning
from maestro_ts.signals.cut import WindowSpec, check_streams, cut
from maestro_ts.signals.distrust import distrust_scale
from maestro_ts.signals.folder import parse_layout
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.windows import Windows
from maestro_ts.training.objective import ClassObjective
from maestro_ts.training.run import Run

__all__ = ["MAX_WINDOWS", "ServedRun"]

MAX_WINDOWS = 10_000  # of one request


@dataclass(frozen=True)
class ServedRun:
    """A run that answers.

    Attributes
    ----------
    name, title : str
        Of the folder, and of the data that it was trained on.
    model : MaestroClassifier
    inputs : Schema
        What recordings have to be: the rates before those filters that the run applies.
    spec : WindowSpec
        How the training data was cut.
    conditioning : dict of modality to Conditioning
    distrust : bool
        Stretches of another scale are taken as missing, as in training.
    """

    name: str
    title: str
    model: MaestroClassifier
    inputs: Schema
    spec: WindowSpec
    conditioning: Mapping[str, Conditioning]
    distrust: bool

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> ServedRun:
        """Read a finished run.

        Raises
        ------
        RunError
            None is there.
        ConfigError
            It learned no classes.
        """
        model = load(folder)
        if not isinstance(model, MaestroClassifier) or type(model.objective_) is not ClassObjective:
            raise ConfigError(
                "this run estimates a number or several labels; classes are served.",
                where=str(folder),
                fix="Use maestro-ts predict, or the estimator in Python.",
            )
        model.n_threads = threads
        run = Run(folder)
        stored: dict[str, Any] = json.loads(run.schema.read_text())
        spec, title = WindowSpec(duration_s=model.duration_), folder.name
        if run.results.exists():
            about = Results.load(run.results).about
            spec, title = WindowSpec(**about["windows"]), about.get("title", title)
        inputs, conditioning = model.schema_, {}
        if stored.get("layout") is not None:
            layout = parse_layout(dict(stored["layout"]), "schema of the run")
            conditioning = {
                name: m.conditioning for name, m in layout.modalities.items() if m.conditioning
            }
            inputs = Schema(
                replace(m, rate_hz=layout.modalities[m.name].rate_hz)
                if m.name in conditioning
                else m
                for m in model.schema_
            )
        return cls(
            folder.resolve().name,
            title,
            model,
            inputs,
            spec,
            conditioning,
            bool(stored.get("distrust_scale", False)),
        )

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the probabilities."""
        return [str(c) for c in self.model.classes_]

    def check_off(self, off: Collection[str]) -> None:
        """Refuse a modality to switch off that the model does not have."""
        for name in off:
            if name not in self.inputs:
                raise DataError(
                    f"no modality {name!r}.", where="off", fix=nearest(name, self.inputs.names)
                )

    def windows(self, recordings: Sequence[Recording], off: Collection[str] = ()) -> Windows:
        """Cut recordings as the training data was cut.

        Parameters
        ----------
        recordings : sequence of Recording
            Each `source` once.
        off : collection of str
            Modalities to take as missing; the windows stay where they are.

        Raises
        ------
        DataError
            A stream that the run does not know or that differs from it, too many windows, none.
        """
        self.check_off(off)
        for recording in recordings:
            check_streams(recording, self.inputs)
            if recording.duration_s <= 0:
                raise DataError(
                    "covers no time.",
                    where=recording.source,
                    fix="Send a stream with a rate or times, whose last sample is after 0 s.",
                )
        self._check_count(recordings)
        kept = []
        for recording in recordings:
            streams = {n: s for n, s in recording.streams.items() if n not in off}
            kept.append(self._conditioned(replace(recording, streams=streams)))
        return cut(kept, self.model.schema_, self.spec)

    def _check_count(self, recordings: Sequence[Recording]) -> None:
        step = self.spec.step_s or self.spec.duration_s
        if step is None:
            return
        count = sum(r.duration_s / step for r in recordings)
        if count > MAX_WINDOWS:
            raise DataError(
                f"about {count:.6g} windows, {MAX_WINDOWS} are answered at once "
                f"(longest recording {max(r.duration_s for r in recordings):g} s).",
                fix="Send shorter recordings, whose times begin near 0 s.",
            )

    def _conditioned(self, recording: Recording) -> Recording:
        if self.distrust:  # before a filter has smeared the border of the scales
            recording = distrust_scale(recording)
        streams = dict(recording.streams)
        for name, work in self.conditioning.items():
            if name in streams:
                try:
                    streams[name], _ = work(streams[name])
                except MaestroError as error:
                    where = f"{recording.source}, modality {name!r}"
                    raise DataError(error.what, where=where, fix=error.fix) from None
        return replace(recording, streams=streams)
