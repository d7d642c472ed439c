"""`Card`: what a published data set is and where it is; `Reading`: what reading it gave."""

from __future__ import annotations

from dataclasses import dataclass, field

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording

__all__ = ["Card", "Download", "Reading", "Refusal", "Target"]


@dataclass(frozen=True)
class Download:
    """A file that the owners of a data set offer without registration.

    Attributes
    ----------
    url : str
    file : str
        Its name.
    bytes : int or None
        Its size where that is known beforehand; otherwise the server is asked.
    sha256 : str or None
        In hexadecimal, where the owners publish it.
    member : str
        The archive within, of a zip archive that only wraps another one.
    hosts : tuple of str
        Other hosts of the owners to which their server may redirect.
    """

    url: str
    file: str
    bytes: int | None = None
    sha256: str | None = None
    member: str = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A number that is to be estimated: what it is, and its unit."""

    name: str
    unit: str

    @property
    def title(self) -> str:
        """Both, as ``heart rate (1/min)``."""
        return f"{self.name} ({self.unit})"


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
        Labels in the order in which tables and confusion matrices show them; none where a number
        is to be estimated.
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
        Python package that carries or makes the data, if one does.
    page : str
        Address of the owners' page, if there is one.
    downloads : tuple of Download
        What `maestro-ts datasets fetch` gets; empty where only a person can get the files.
    target : Target or None
        The number that is to be estimated, which is the text of each label; None for classes.
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
    page: str = ""
    downloads: tuple[Download, ...] = ()
    target: Target | None = None


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
