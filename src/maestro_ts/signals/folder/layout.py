"""`Layout`: what a ``schema.yaml`` says of a folder of files, checked key by key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.signals.conditioning import Conditioning
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.filters import Filter
from maestro_ts.signals.folder.pattern import PathPattern
from maestro_ts.signals.formats.registry import FORMATS, format_of
from maestro_ts.signals.formats.signal_file import Dialect
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.window_spec import LabelRule, Period

__all__ = [
    "FORMAT",
    "CsvLayout",
    "LabelLayout",
    "Layout",
    "ModalityLayout",
    "SubjectLayout",
    "TimeLayout",
    "TimeUnit",
    "Zero",
    "parse_layout",
]

FORMAT = 1
TimeUnit = Literal["s", "ms", "us", "datetime"]
Zero = Literal["as-is", "first-sample"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CsvLayout(_Part):
    """How the text tables are written."""

    delimiter: str = Field(",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    header: bool = True
    skip_lines: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.delimiter == self.decimal:
            raise ValueError("delimiter and decimal are the same")
        return self


class TimeLayout(_Part):
    """The column that carries the time of every sample."""

    column: str | int
    unit: TimeUnit
    zero: Zero = Field("as-is", description="first-sample: a recording's first sample is 0 s.")

    @model_validator(mode="before")
    @classmethod
    def _moments_start_at_zero(cls, tree: Any) -> Any:
        if isinstance(tree, dict) and tree.get("unit") == "datetime":
            tree = {"zero": "first-sample"} | tree
            if tree["zero"] != "first-sample":
                raise ValueError("unit datetime needs zero: first-sample")
        return tree


class FilterLayout(_Part):
    """A zero-phase Butterworth filter."""

    high_pass_hz: float | None = None
    low_pass_hz: float | None = None
    order: int = 4

    @model_validator(mode="after")
    def _fits(self) -> Self:
        Filter(**self.model_dump())
        return self


class ModalityLayout(_Part):
    """One kind of sensor signal: where its files lie, and which of their columns it is."""

    file: str
    format: str | None = Field(None, description="By the file's ending unless given.")
    stream: str = Field("", description="Which of several in a file.")
    columns: tuple[str | int, ...] = Field(min_length=1)
    time: TimeLayout | None = None
    rate_hz: float | None = Field(None, gt=0, allow_inf_nan=False)
    unit: str = ""
    device: str = ""
    static: bool = False
    filter: FilterLayout | None = None
    downsample_hz: float | None = Field(None, gt=0, allow_inf_nan=False)

    @field_validator("file")
    @classmethod
    def _is_pattern(cls, text: str) -> str:
        PathPattern(text)
        return text

    @field_validator("format")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in FORMATS:
            raise ValueError(f"no such file format. {nearest(name, FORMATS)}")
        return name

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        if self.static and (self.time or self.rate_hz):
            raise ValueError("a static modality has neither time nor rate_hz")
        told = self.time is not None or self.rate_hz is not None
        if not self.static and not told and not FORMATS[self.file_format].tells_time:
            raise ValueError("needs time (a column) or rate_hz")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("a column is named twice")
        self.conditioning.check_rate(self.rate_hz)
        return self

    @property
    def conditioning(self) -> Conditioning:
        """What is done to its samples."""
        passed = None if self.filter is None else Filter(**self.filter.model_dump())
        return Conditioning(passed, self.downsample_hz)

    @property
    def file_format(self) -> str:
        """Name of the format; what no ending tells is taken for text."""
        return self.format or format_of(self.file) or "csv"

    @property
    def pattern(self) -> PathPattern:
        """Where its files lie."""
        return PathPattern(self.file)


class LabelLayout(_Part):
    """Where labels come from.

    ``intervals``: a table recording, start, end, label (one file with the column `recording`, or
    one per recording by a pattern). ``recordings``: a table recording, label. ``column``: a column
    beside the samples of a modality. ``annotations``: what an EDF+ file notes with a duration, that
    of a modality or one of its own by a pattern. ``path``: the placeholder ``{label}``.
    """

    from_: Literal["intervals", "recordings", "column", "annotations", "path"] = Field(alias="from")
    file: str | None = None
    column: str | int = "label"
    modality: str | None = None
    unit: TimeUnit = "s"
    zero: Zero | None = Field(None, description="As the samples' unless given.")
    classes: tuple[str, ...] = Field((), description="Their order; all that occur if empty.")

    @property
    def path(self) -> str:
        """The table's path or pattern."""
        return self.file or ("labels.csv" if self.from_ == "intervals" else "recordings.csv")

    @model_validator(mode="after")
    def _file_fits(self) -> Self:
        PathPattern(self.path)
        if self.from_ in ("column", "path") and self.file is not None:
            raise ValueError(f"from: {self.from_} takes no file")
        if self.modality is not None and self.from_ not in ("column", "annotations"):
            raise ValueError(f"from: {self.from_} takes no modality")
        return self


class SubjectLayout(_Part):
    """Whose recording it is: the placeholder ``{subject}``, a table, or each its own."""

    from_: Literal["path", "recordings", "recording"] = Field("path", alias="from")
    file: str = "recordings.csv"
    column: str = "subject"


class WindowLayout(_Part):
    """How recordings are cut; without a duration every recording is one window."""

    duration_s: float | None = Field(None, gt=0, allow_inf_nan=False)
    step_s: float | None = Field(None, gt=0, allow_inf_nan=False)
    label_rule: LabelRule = "inside"
    purity: float = 0.5
    min_inside: float = 1.0
    min_coverage: float = 0.0
    baseline_s: Period | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.step_s is not None and self.duration_s is None:
            raise ValueError("step_s needs duration_s")
        WindowSpec(**self.model_dump())
        return self


class Layout(_Part):
    """The whole ``schema.yaml``."""

    format: Literal[1]
    name: str = Field("", description="The folder's name if empty.")
    title: str = ""
    licence: str = ""
    clock: Literal["shared", "start-aligned"] = "shared"
    csv: CsvLayout = CsvLayout()
    modalities: dict[str, ModalityLayout] = Field(min_length=1)
    subject: SubjectLayout = SubjectLayout()
    labels: LabelLayout | None = None
    windows: WindowLayout = WindowLayout()

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        for name in self.modalities:
            if not re.fullmatch(r"[\w-]+", name):
                raise ValueError(f"modality {name!r}: a name has letters, digits, _ and - only")
        series = {n: m for n, m in self.modalities.items() if not m.static}
        if not series:
            raise ValueError("all modalities are static")
        first, placeholders = next((n, set(m.pattern.names)) for n, m in series.items())
        for name, modality in series.items():
            if set(modality.pattern.names) != placeholders:
                raise ValueError(
                    f"the files of {first!r} and {name!r} have other placeholders: "
                    f"{self.modalities[first].file!r}, {modality.file!r}"
                )
        if self.subject.from_ == "path" and "subject" not in placeholders:
            raise ValueError(
                "no {subject} in the modalities' files: put it there, or say subject: "
                "{from: recordings} (a table) or {from: recording} (each its own)"
            )
        self._check_labels(placeholders, series)
        return self

    def _check_labels(self, placeholders: set[str], series: dict[str, ModalityLayout]) -> None:
        if self.labels is None:
            return
        if self.labels.from_ == "path" and "label" not in placeholders:
            raise ValueError("labels from: path needs {label} in the modalities' files")
        name = self.labels.modality
        if name is not None and name not in series:
            raise ValueError(f"labels.modality {name!r} is none. {nearest(name, series)}")
        if (
            self.labels.from_ in ("column", "annotations")
            and self.labels.file is None
            and name is None
            and len({m.file for m in series.values()}) > 1
        ):
            raise ValueError(f"labels from: {self.labels.from_} needs modality: whose file")

    @property
    def key(self) -> tuple[str, ...]:
        """Placeholders that together name a recording, in order."""
        return next(m.pattern.names for m in self.modalities.values() if not m.static)

    @property
    def tables(self) -> tuple[str, ...]:
        """Patterns and paths of all files that are not samples: labels, subjects, statics."""
        named = [m.file for m in self.modalities.values() if m.static]
        apart = self.labels is not None and self.labels.file is not None
        if self.labels is not None and (apart or self.labels.from_ in ("intervals", "recordings")):
            named.append(self.labels.path)
        if self.subject.from_ == "recordings":
            named.append(self.subject.file)
        return tuple(named)

    @property
    def signals(self) -> Schema:
        """The modalities."""
        return Schema(
            Modality(n, len(m.columns), m.downsample_hz or m.rate_hz, m.unit, m.device, m.static)
            for n, m in self.modalities.items()
        )

    def with_rates(self, rates: Mapping[str, float]) -> Layout:
        """The same with rates that the files told, where it states none."""
        known = {
            name: m.model_copy(update={"rate_hz": rates[name]})
            if m.rate_hz is None and name in rates
            else m
            for name, m in self.modalities.items()
        }
        return self.model_copy(update={"modalities": known})

    @property
    def dialect(self) -> Dialect:
        """How the text tables are written."""
        return Dialect(**self.csv.model_dump())

    @property
    def window_spec(self) -> WindowSpec:
        """How recordings are cut."""
        return WindowSpec(**self.windows.model_dump())

    def to_tree(self) -> dict[str, Any]:
        """Plain values for JSON, as they would stand in the file."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def parse_layout(text: str | dict[str, Any], where: str) -> Layout:
    """Read a ``schema.yaml``, or the plain values of `Layout.to_tree`.

    Raises
    ------
    ConfigError
        Not YAML, a key that is not known or given twice, a value that does not fit; each with its
        line, all of them at once.
    """
    lines: dict[tuple[str, ...], int] = {}
    if isinstance(text, str):
        tree, lines = _parse_yaml(text, where)
    else:
        tree = text
    if not isinstance(tree, dict):
        raise ConfigError("a schema is a mapping: modalities, labels, …", where=f"{where}:1")
    if isinstance(tree.get("format"), int) and tree["format"] > FORMAT:
        raise ConfigError(
            f"schema format {tree['format']}, this version reads {FORMAT}.",
            where=where,
            fix="Upgrade: pip install --upgrade maestro-ts",
        )
    try:
        return Layout.model_validate(tree)
    except ValidationError as error:
        problems = [_problem(item, lines, where) for item in error.errors()]
        told = [problems[0][1], *(f"{place}: {what}" for place, what in problems[1:])]
        raise ConfigError(" ".join(told), where=problems[0][0]) from None


def _parse_yaml(text: str, where: str) -> tuple[Any, dict[tuple[str, ...], int]]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(_lines(root, (), where)) if root is not None else {}
        return yaml.safe_load(text), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        at = f"{where}:{mark.line + 1}" if mark else where
        raise ConfigError(f"not YAML: {what}.", where=at) from None


def _lines(
    node: yaml.Node, path: tuple[str, ...], where: str
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Line of every key; a key given twice is refused, which YAML itself would let pass."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise ConfigError(f"the key {key.value!r} is given twice.", where=f"{where}:{line}")
            seen.add(key.value)
            yield (*path, str(key.value)), line
            yield from _lines(value, (*path, str(key.value)), where)


def _problem(item: Any, lines: dict[tuple[str, ...], int], where: str) -> tuple[str, str]:
    """Place and text of one of pydantic's findings."""
    path = tuple(str(part) for part in item["loc"])
    known = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)
    place = f"{where}:{known}" if known else where
    dotted = ".".join(path)
    if item["type"] == "extra_forbidden":
        return place, f"unknown key {dotted!r}. {nearest(path[-1], _keys(path[:-1]))}"
    if item["type"] == "missing":
        return place, f"the key {dotted!r} is missing."
    said = item["msg"].removeprefix("Value error, ")
    seen = "" if isinstance(item["input"], dict | BaseModel) else f" (got {item['input']!r})"
    return place, f"{dotted}: {said}{seen}." if dotted else f"{said}."


def _keys(path: tuple[str, ...]) -> list[str]:
    """Keys that are known at a place."""
    groups: dict[str, type[_Part]] = {
        "csv": CsvLayout,
        "subject": SubjectLayout,
        "labels": LabelLayout,
        "windows": WindowLayout,
        "time": TimeLayout,
        "filter": FilterLayout,
    }
    model: type[_Part] = Layout
    if path:
        model = groups.get(path[-1], ModalityLayout)
    return [field.alias or name for name, field in model.model_fields.items()]
