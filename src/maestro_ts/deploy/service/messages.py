"""What goes over the wire as JSON: bodies of requests, and the schemas of answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "MAX_RECORDINGS",
    "Answer",
    "Example",
    "Health",
    "ModelCard",
    "PredictBody",
    "ProblemBody",
    "RecordingBody",
    "StreamBody",
]

MAX_RECORDINGS = 1000  # of one request
Finite = Annotated[float, Field(allow_inf_nan=False)]
# Millions of wrong numbers are one error.
Row = Annotated[list[float | None], Field(fail_fast=True)]


class _Strict(BaseModel):
    """An unknown key or a text in place of a number is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StreamBody(_Strict):
    """Samples of one modality; null is a missing one.

    Regular: `rate_hz`, the first sample at `start_s`. Otherwise `times`, in seconds. A static
    modality has one row and neither.
    """

    values: Annotated[list[Row], Field(fail_fast=True)] | Row = Field(
        description="[samples][channels]; flat for one channel."
    )
    rate_hz: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    start_s: Finite = 0.0
    times: Annotated[list[Finite], Field(fail_fast=True)] | None = None


class RecordingBody(_Strict):
    """One stretch of data; a modality that is not named is missing."""

    streams: dict[str, StreamBody] = Field(min_length=1)
    name: str = ""
    subject: str = ""


class PredictBody(_Strict):
    """Recordings, and modalities to be taken as missing in all of them."""

    recordings: Annotated[list[RecordingBody], Field(fail_fast=True)] = Field(
        min_length=1, max_length=MAX_RECORDINGS
    )
    off: Annotated[list[str], Field(fail_fast=True)] = []


class WindowAnswer(BaseModel):
    """What the model says of one window.

    `budgets` are of the modalities that are present. With `nothing_present` the answer is the
    learned prior, which tells nothing of this window.
    """

    start_s: float
    duration_s: float
    class_: str = Field(alias="class")
    probabilities: dict[str, float]
    budgets: dict[str, float]
    present: list[str]
    nothing_present: bool


class CellAnswer(BaseModel):
    """A stretch in which no window begins or ends; null probabilities where nothing is known."""

    start_s: float
    end_s: float
    probabilities: list[float] | None


class SignalAnswer(BaseModel):
    """The samples of one modality as they came, thinned out for a screen."""

    times_s: list[float]
    values: list[list[float | None]] = Field(description="[channels][samples]")


class SymbolAnswer(BaseModel):
    """Symbols of one window; 0 is missing."""

    start_s: float
    duration_s: float
    views: dict[str, dict[str, list[list[int]]]] = Field(
        description="modality → view → [channels][bins]"
    )


class RecordingAnswer(BaseModel):
    """All windows of one recording, in order of time; the rest if it was asked for."""

    name: str
    subject: str
    duration_s: float
    windows: list[WindowAnswer]
    timeline: list[CellAnswer] | None = None
    symbols: list[SymbolAnswer] | None = None
    signals: dict[str, SignalAnswer] | None = None


class Answer(BaseModel):
    """Recordings in the order of the request."""

    run: str
    recordings: list[RecordingAnswer]


class ModelCard(BaseModel):
    """What is served, and what it takes."""

    run: str
    title: str
    version: str
    classes: list[str]
    modalities: list[dict[str, Any]]
    windows: dict[str, Any]
    alphabet: int | None
    budget_max: float | None
    example: bool
    limits: dict[str, float]


class Stretch(BaseModel):
    """A true label."""

    start_s: float
    end_s: float
    label: str


class Example(BaseModel):
    """A recording that the model was not trained on: a body for predict, and what is true."""

    title: str
    body: dict[str, Any]
    labels: list[Stretch]


class Health(BaseModel):
    """``ok``, or ``draining``: what was accepted is finished, nothing new is."""

    status: str


class ProblemBody(BaseModel):
    """Why there is no answer: what is wrong, where, and what to do about it."""

    what: str
    where: str
    fix: str
