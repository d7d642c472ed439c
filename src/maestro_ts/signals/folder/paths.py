"""Patterns guessed from paths: what of them is modality, subject, recording or label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

__all__ = ["PathGuess", "guess_paths"]

SUBJECT = re.compile(
    r"(?i)^(s|sub|subj|subject|p|part|participant|patient|pat|proband|vp|id|user)[-_ ]?\d+\w?$"
)
SENSOR = re.compile(
    r"(?i)(acc|gyr|mag|imu|eda|gsr|bvp|ppg|temp|ecg|ekg|eeg|emg|eog|hr|heart|ibi|rr|resp|breath|"
    r"spo2|press|baro|light|audio|gps|force|skel|quat)"
)
SEPARATOR = re.compile(r"[_\- ]")


@dataclass
class PathGuess:
    """Patterns by modality.

    Attributes
    ----------
    patterns : dict of modality to pattern
        One entry with an empty name when every file has all modalities.
    examples : dict of modality to path
    subject, label : bool
        Whether the patterns have the placeholder.
    labels : list of str
        Values of the label.
    recordings : int
    """

    patterns: dict[str, str] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    subject: bool = False
    label: bool = False
    labels: list[str] = field(default_factory=list)
    recordings: int = 0


def guess_paths(paths: Sequence[str], makes: Mapping[str, tuple[object, ...]]) -> PathGuess:
    """Guess from the paths of all tables of samples and from their columns.

    Names of files, or the last pieces of names, are modalities when they recur, are words without
    digits, and either sound like sensors or come with columns of their own.

    Parameters
    ----------
    paths : sequence of str
    makes : dict of path to tuple
        Names of the columns.
    """
    kinds = _modalities(paths, makes)
    parts = {path: _pieces(path, kind) for path, kind in kinds.items()}
    widths = Counter(len(p) for p in parts.values())
    width = widths.most_common(1)[0][0]
    regular = {path: p for path, p in parts.items() if len(p) == width}
    names = _roles([[text for text, _ in p] for p in regular.values()])
    found = PathGuess(subject="subject" in names, label="label" in names)
    keys = set()
    for path, pieces in regular.items():
        kind = kinds[path]
        texts = [text for text, _ in pieces]
        found.patterns.setdefault(kind, _pattern(path, pieces, names))
        found.examples.setdefault(kind, path)
        keys.add(tuple(texts))
        if found.label:
            found.labels.append(texts[names.index("label")])
    found.labels = sorted(set(found.labels))
    found.recordings = len(keys)
    return found


def _modalities(paths: Sequence[str], makes: Mapping[str, tuple[object, ...]]) -> dict[str, str]:
    """Modality of every path; empty where files hold all of them."""
    stems = {p: PurePosixPath(p).stem for p in paths}
    if all("/" in p for p in paths) and _are_modalities(stems, makes):
        return stems
    ends = {p: SEPARATOR.split(stem) for p, stem in stems.items()}
    last = {p: pieces[-1] for p, pieces in ends.items()}
    starts = {f"{PurePosixPath(p).parent}/{pieces[:-1]}" for p, pieces in ends.items()}
    # The same beginning must come with several endings.
    several = all(len(pieces) > 1 for pieces in ends.values()) and len(starts) < len(paths)
    return last if several and _are_modalities(last, makes) else dict.fromkeys(paths, "")


def _are_modalities(names: Mapping[str, str], makes: Mapping[str, tuple[object, ...]]) -> bool:
    words = set(names.values())
    if any(re.search(r"\d", w) for w in words) or any(SUBJECT.match(w) for w in words):
        return False
    columns = {w: {makes.get(p) for p, name in names.items() if name == w} for w in words}
    apart = len(words) > 1 and len({frozenset(c) for c in columns.values()}) == len(words)
    return apart or all(SENSOR.search(w) for w in words)


def _pieces(path: str, kind: str) -> list[tuple[str, str]]:
    """Varying pieces of a path, each with the separator before it; the modality is left out."""
    pure = PurePosixPath(path)
    pieces = [(part, "/" if i else "") for i, part in enumerate(pure.parts[:-1])]
    stem = pure.stem
    if kind and stem == kind:
        return pieces
    if kind:
        stem = stem[: -len(kind) - 1]
    begin = 0
    for cut in [*SEPARATOR.finditer(stem), None]:
        end = cut.start() if cut else len(stem)
        before = stem[begin - 1] if begin else ("/" if pieces else "")
        pieces.append((stem[begin:end], before))
        begin = end + 1
    return pieces


def _roles(rows: Sequence[Sequence[str]]) -> list[str]:
    """A role for each piece: fixed text, subject, label, or part of the recording's name."""
    columns = list(zip(*rows, strict=True))
    # A number that is the same in all files so far will differ in the next.
    several = len(set(map(tuple, rows))) > 1
    same = [several and len(set(c)) == 1 and not re.search(r"\d", c[0]) for c in columns]
    roles = ["fixed" if fixed else "recording" for fixed in same]
    for i, column in enumerate(columns):
        if all(SUBJECT.match(text) for text in column):
            roles[i] = "subject"
            break
    if "subject" in roles:
        owner = columns[roles.index("subject")]
        for i, column in enumerate(columns):
            if roles[i] == "recording" and _is_label(column, owner):
                roles[i] = "label"
                break
    return roles


def _is_label(column: Sequence[str], owner: Sequence[str]) -> bool:
    """Words without digits of which several subjects have the same."""
    words = set(column)
    if not 2 <= len(words) <= 30 or any(re.search(r"\d", w) for w in words):
        return False
    shared = [len({s for s, w in zip(owner, column, strict=True) if w == word}) for word in words]
    return len(set(owner)) > 1 and min(shared) > 1


def _pattern(path: str, pieces: list[tuple[str, str]], roles: list[str]) -> str:
    text, last = "", ""
    for (piece, before), role in zip(pieces, roles, strict=True):
        if role == "fixed":
            text += before + piece
        elif role == "recording" and last == "recording" and before != "/":
            pass  # one placeholder for a name of several pieces
        elif role == "recording" and "{recording}" in text:
            text += f"{before}{{part{len(text)}}}"
        else:
            text += f"{before}{{{role}}}"
        last = role
    pure = PurePosixPath(path)
    # What follows the last varying piece: the modality and the ending.
    rest = path[len(str(pure.parent)) + 1 :] if str(pure.parent) != "." else path
    own = SEPARATOR.split(pure.stem)
    named = len(pieces) - len(pure.parts[:-1])
    if named == 0:
        return f"{text}/{rest}" if text else rest
    kind = "_".join(own[named:])
    joint = pure.stem[len(pure.stem) - len(kind) - 1] if kind else ""
    return f"{text}{joint}{kind}{pure.suffix}"
