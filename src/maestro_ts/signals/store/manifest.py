"""``manifest.json``: what a store holds; swapped last and whole, so a store is old or new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from maestro_ts.atomic import write_text
from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Target
from maestro_ts.signals.modality import Schema

__all__ = ["FORMAT", "MANIFEST", "Manifest", "Shard", "StoredFile", "check_file", "is_store"]

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class StoredFile:
    """A file of a store.

    Attributes
    ----------
    path : str
        Relative, with ``/``.
    bytes : int
    hash : str
        BLAKE2b, 16 bytes.
    rows : int
    """

    path: str
    bytes: int
    hash: str
    rows: int


@dataclass(frozen=True)
class Shard:
    """Some recordings in order, written together.

    Attributes
    ----------
    name : str
        Of its files, ``00000`` …
    parts : tuple of int
        First part of the source in it, and the one after its last.
    signals, times : dict of modality name to files
        Rows one file after another.
    tables : dict of table name to file
    refused : tuple of (where, why)
        Parts in between that could not be read.
    """

    name: str
    parts: tuple[int, int]
    signals: Mapping[str, tuple[StoredFile, ...]]
    times: Mapping[str, tuple[StoredFile, ...]]
    tables: Mapping[str, StoredFile]
    refused: tuple[tuple[str, str], ...] = ()

    def files(self) -> list[StoredFile]:
        """All files, in a fixed order."""
        groups = [*self.signals.values(), *self.times.values(), tuple(self.tables.values())]
        return [file for group in groups for file in group]


@dataclass(frozen=True)
class Manifest:
    """Contents of ``manifest.json``.

    Attributes
    ----------
    schema : Schema
    spec : WindowSpec
        How the windows of `windows` were cut.
    about : dict
        ``name``, ``title``, ``task``, ``licence`` and ``classes`` of the data set, as far as known;
        ``target`` where a number is to be estimated.
    source : str
        Fingerprint of the files that the shards came from, "" if unknown.
    shards : tuple of Shard
    layout : dict or None
        How a folder of one's own was laid out; None for a published set.
    distrust_scale : bool
        Whether stretches of another scale were taken as missing.
    unread : tuple of (where, why)
        Rows of a folder's tables that fit no recording.
    windows : StoredFile or None
        None while the store is unfinished.
    """

    schema: Schema
    spec: WindowSpec
    about: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    layout: Mapping[str, Any] | None = None
    distrust_scale: bool = False
    unread: tuple[tuple[str, str], ...] = ()
    shards: tuple[Shard, ...] = ()
    windows: StoredFile | None = None

    def save(self, folder: Path) -> None:
        """Swap the folder's manifest for this one, atomically."""
        content = {
            "format": FORMAT,
            "about": dict(self.about),
            "source": self.source,
            **self._own(),
            "schema": self.schema.to_list(),
            "spec": self.spec.values(),
            "windows": None if self.windows is None else asdict(self.windows),
            "shards": [asdict(shard) for shard in self.shards],
        }
        write_text(folder / MANIFEST, json.dumps(content, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read a folder's manifest.

        Raises
        ------
        DataError
            There is none.
        FormatError
            It is damaged, or of a newer version.
        """
        path = Path(folder) / MANIFEST
        try:
            content = json.loads(path.read_text())
            version = content["format"]
            if version > FORMAT:
                raise FormatError(
                    f"the store has format {version}, this version reads up to {FORMAT}.",
                    where=str(path),
                    fix="Update maestro-ts, or prepare the store again.",
                )
            return cls(
                schema=Schema.from_list(content["schema"]),
                spec=WindowSpec(**content["spec"]),
                about=content["about"],
                source=content["source"],
                layout=content.get("layout"),
                distrust_scale=content.get("distrust_scale", False),
                unread=tuple((where, why) for where, why in content.get("unread", ())),
                shards=tuple(_shard(row) for row in content["shards"]),
                windows=content["windows"] and StoredFile(**content["windows"]),
            )
        except FileNotFoundError as error:
            raise DataError(
                f"holds no {MANIFEST}: not a window store.",
                where=str(folder),
                fix="Make one with: maestro-ts prepare SOURCE --out STORE",
            ) from error
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise FormatError(
                f"the manifest is damaged: {error}.",
                where=str(path),
                fix="Prepare the store again.",
            ) from error

    def card(self, name: str) -> Card:
        """What is known of the data set, `name` if its name is not."""
        known = {"name": name, "title": name, "task": "", "licence": ""} | dict(self.about)
        target = Target(**known["target"]) if "target" in known else None
        return Card(
            **known | {"classes": tuple(known.get("classes", ())), "target": target},
            schema=self.schema,
            windows=self.spec,
            label_rule=self.spec.label_text(),
            citation="",
            how_to_get="",
            subjects=0,
        )

    @property
    def parts(self) -> int:
        """How many parts of the source lie behind."""
        return self.shards[-1].parts[1] if self.shards else 0

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Where and why something was not read."""
        return [*self.unread, *self.refused_parts]

    @property
    def refused_parts(self) -> list[tuple[str, str]]:
        """Where and why recordings were not read."""
        return [refusal for shard in self.shards for refusal in shard.refused]

    def _own(self) -> dict[str, Any]:
        """What only some stores have."""
        found = {
            "layout": self.layout,
            "distrust_scale": self.distrust_scale,
            "unread": self.unread,
        }
        return {key: value for key, value in found.items() if value}

    def with_shard(self, shard: Shard) -> Manifest:
        """One shard more; its windows are still to be found."""
        return replace(self, shards=(*self.shards, shard), windows=None)

    def files(self) -> list[StoredFile]:
        """Every file that the store needs."""
        found = [file for shard in self.shards for file in shard.files()]
        return found if self.windows is None else [*found, self.windows]

    def preparation(self) -> str:
        """Fingerprint of what decides the shards' content: a resumed preparation must agree."""
        decisive = {"format": FORMAT, "schema": self.schema.to_list(), "source": self.source}
        if self.layout is not None:
            decisive["layout"] = {k: v for k, v in self.layout.items() if k != "windows"}
        if self.distrust_scale:
            decisive["distrust_scale"] = True
        return hashlib.blake2b(json.dumps(decisive).encode(), digest_size=16).hexdigest()


def is_store(path: Path | None) -> bool:
    """Whether a folder is a window store, finished or damaged."""
    return path is not None and (Path(path) / MANIFEST).is_file()


def folder_of(modality: str) -> str:
    """A modality's name as the name of a folder."""
    safe = quote(modality, safe=" ()+,=")
    return "%2E" + safe[1:] if safe.startswith(".") else safe


def check_file(folder: Path, file: StoredFile, *, content: bool = False) -> None:
    """Refuse a file that is gone, of another size or, if asked, of other content.

    Raises
    ------
    FormatError
    """
    path = folder / file.path
    fix = "Copy the store again, or prepare it again with --overwrite."
    try:
        size = path.stat().st_size
        if size != file.bytes:
            raise FormatError(
                f"{size} bytes, {file.bytes} expected: the file is cut short or not of this store.",
                where=str(path),
                fix=fix,
            )
        if content:
            with open(path, "rb") as opened:
                found = hashlib.file_digest(opened, new_hash).hexdigest()
            if found != file.hash:
                raise FormatError("the content has changed.", where=str(path), fix=fix)
    except FileNotFoundError as error:
        raise FormatError("the file is missing.", where=str(path), fix=fix) from error


def new_hash() -> hashlib.blake2b:
    """The hash of `StoredFile.hash`."""
    return hashlib.blake2b(digest_size=16)


def _shard(row: Mapping[str, Any]) -> Shard:
    return Shard(
        name=row["name"],
        parts=(row["parts"][0], row["parts"][1]),
        signals={m: tuple(StoredFile(**f) for f in files) for m, files in row["signals"].items()},
        times={m: tuple(StoredFile(**f) for f in files) for m, files in row["times"].items()},
        tables={name: StoredFile(**file) for name, file in row["tables"].items()},
        refused=tuple((where, why) for where, why in row["refused"]),
    )
