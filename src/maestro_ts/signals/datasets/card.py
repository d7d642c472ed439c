"""`Card`: what a published data set is, and `Reading`: what reading it gave."""

from __future__ import annotations

from dataclasses import dataclass, field

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording

__all__ = ["Card", "Reading", "Refusal"]


@dataclass(frozen=True)
class Card:
    """What users want to know of a data set before they read it.

    Attributes
    ----------
    name : str
        As typed in commands.
    title, task, licence, citation, how_to_get : str
    schema : Schema
        Modalities with their rates, units and devices.
    classes : tuple of str
        Labels in the order in which tables and confusion matrices show them.
    windows : WindowSpec
        How recordings are cut by default.
    label_rule : str
        How a window gets its label, in one sentence.
    clock : str
        ``shared``, ``start-aligned`` or ``stretched``.
    subjects : int
    quirks : tuple of str
        What is wrong with the files and what the reader does about each.
    positive : str
        The class that AUROC and AUPRC are about, of a task with two classes.
    owners_split : tuple of str, or None
        How the sources of the owners' training and of their test recordings begin.
    read_on_real_data : bool
        False when the reader was only ever run on files generated in the owners' layout.
    package : str
        Python package that carries the data, if one does.
    """

    name: str
    title: str
    task: str
    schema: Schema
    classes: tuple[str, ...]
    windows: WindowSpec
    label_rule: str
    licence: str
    citation: str
    how_to_get: str
    subjects: int
    clock: str = "shared"
    quirks: tuple[str, ...] = ()
    positive: str = ""
    owners_split: tuple[str, str] | None = None
    read_on_real_data: bool = True
    package: str = ""


@dataclass(frozen=True)
class Refusal:
    """A file that was not read: where, and why."""

    where: str
    why: str


@dataclass(frozen=True)
class Reading:
    """What a reader returns: recordings, and the files it refused by name.

    Attributes
    ----------
    recordings : list of Recording
    refused : list of Refusal
    schema : Schema or None
        What the files hold, of a set whose rates or modalities its card cannot know; None: the
        card's schema.
    """

    recordings: list[Recording]
    refused: list[Refusal] = field(default_factory=list)
    schema: Schema | None = None
