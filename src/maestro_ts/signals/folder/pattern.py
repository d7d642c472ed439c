"""Path patterns: ``{subject}/{recording}_acc.csv`` says where files lie and what names tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["PathPattern"]

NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class PathPattern:
    """A path in which some parts vary.

    ``{name}`` is a piece of a path's part, as short as possible, the same wherever the name
    occurs again; ``{name:regex}`` has the form of a regular expression; ``*`` is any piece that
    tells nothing.

    Raises
    ------
    ValueError
        Braces that do not match, a name that is none, or a regular expression that is none.
    """

    text: str
    regex: re.Pattern[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regex", _compiled(self.text))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the placeholders in their order."""
        return tuple(self.regex.groupindex)

    def match(self, path: str) -> dict[str, str] | None:
        """What a path tells, or None when it is another."""
        found = self.regex.fullmatch(path)
        return None if found is None else found.groupdict()


def _compiled(text: str) -> re.Pattern[str]:
    parts: list[str] = []
    known: set[str] = set()
    at = 0
    while at < len(text):
        if text[at] == "{":
            end = _closing(text, at)
            name, _, form = text[at + 1 : end].partition(":")
            if not NAME.fullmatch(name):
                raise ValueError(f"{{{name}}} is no name in braces: {text!r}")
            if name in known:
                parts.append(f"(?P={name})")
            else:
                parts.append(f"(?P<{name}>{form or '[^/]+?'})")
            known.add(name)
            at = end + 1
        elif text[at] == "}":
            raise ValueError(f"a brace closes that was not opened: {text!r}")
        else:
            parts.append("[^/]*" if text[at] == "*" else re.escape(text[at]))
            at += 1
    try:
        return re.compile("".join(parts))
    except re.error as error:
        raise ValueError(f"no regular expression ({error}): {text!r}") from None


def _closing(text: str, at: int) -> int:
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return i
    raise ValueError(f"a brace is not closed: {text!r}")
