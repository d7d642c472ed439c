"""Whether an input is conditioned as a model's training data was; made so where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_ts.errors import ConfigError
from maestro_ts.signals.folder.layout import Layout, parse_layout

__all__ = ["check_filters", "check_store_filters", "conditioned_as", "unconditioned"]


def conditioned_as(own: Layout, run: Layout, names: Mapping[str, str], where: str) -> Layout:
    """The input's layout with filters and lower rates of the run's for modalities without.

    Parameters
    ----------
    own, run : Layout
        The input's, and that of the training data.
    names : dict of str to str
        The input's names of modalities and the run's, where they differ.
    where : str
        Names the input in errors.

    Raises
    ------
    ConfigError
        Names a modality that has another filter, or a rate at which the run's cannot be done.
    """
    check_filters(own, run, names, where)
    found = dict(own.modalities)
    for name, modality in own.modalities.items():
        known = run.modalities.get(names.get(name, name))
        if known is None:
            continue
        lower = modality.downsample_hz or known.downsample_hz
        found[name] = modality.model_copy(update={"filter": known.filter, "downsample_hz": lower})
        try:
            found[name].conditioning.check_rate(modality.rate_hz)
        except ConfigError as error:
            raise ConfigError(
                f"modality {name!r}: {error.what}",
                where=where,
                fix="The run does it to its data; see filter and downsample_hz in its schema.",
            ) from None
    return own.model_copy(update={"modalities": found})


def unconditioned(layout: Layout) -> Layout:
    """The layout of the samples as they are in the files."""
    plain = {"filter": None, "downsample_hz": None}
    kept = {name: m.model_copy(update=plain) for name, m in layout.modalities.items()}
    return layout.model_copy(update={"modalities": kept})


def check_filters(
    own: Layout, run: Layout, names: Mapping[str, str], where: str, *, strict: bool = False
) -> None:
    """Refuse an input of which a modality is filtered otherwise than in the run's training data.

    With `strict` (the input cannot be changed any more) one that is not filtered is refused too.

    Raises
    ------
    ConfigError
        Names the modality.
    """
    for name, modality in own.modalities.items():
        known = run.modalities.get(names.get(name, name))
        if known is None or modality.filter == known.filter:
            continue
        if strict or modality.filter is not None:
            raise ConfigError(
                f"modality {name!r} is {_said(modality.filter)}, the run's was "
                f"{_said(known.filter)}.",
                where=where,
                fix="Filter both alike.",
            )


def check_store_filters(
    own: Mapping[str, Any] | None, run: Mapping[str, Any] | None, where: str
) -> None:
    """`check_filters` of a store and a run, by the plain values of their layouts, if they have any.

    Raises
    ------
    ConfigError
        Names the modality.
    """
    if own is not None and run is not None:
        check_filters(
            parse_layout(dict(own), where),
            parse_layout(dict(run), "schema of the run"),
            {},
            where,
            strict=True,
        )


def _said(passed: Any) -> str:
    if passed is None:
        return "not filtered"
    given = passed.model_dump(exclude_none=True)
    return "filtered by {" + ", ".join(f"{key}: {value:g}" for key, value in given.items()) + "}"
