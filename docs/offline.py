"""What a built site would ask of other servers. It must read without a network, so: nothing."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["foreign_requests"]

# A link that a reader may follow (<a href>) is none, nor is what only names a page.
_TAGS = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|srcset|data)\s*=\s*"
    r"[\"']?\s*((?:https?:)?//[^\s\"'>]+)"
    r"|<link\b(?![^>]*\brel\s*=\s*[\"']?(?:canonical|author|license|next|prev|search)\b)[^>]*?"
    r"\bhref\s*=\s*[\"']?\s*((?:https?:)?//[^\s\"'>]+)",
    re.IGNORECASE,
)
_STYLES = re.compile(
    r"url\(\s*[\"']?\s*((?:https?:)?//[^\s\"')]+)|@import\s+[\"']\s*((?:https?:)?//[^\s\"']+)",
    re.IGNORECASE,
)


def foreign_requests(site: Path) -> list[str]:
    """Scripts, styles, fonts and pictures that pages and style sheets take from elsewhere.

    Returns
    -------
    list of str
        ``page: address``, sorted, each once.
    """
    found = set()
    for path in site.rglob("*"):
        if path.suffix not in (".html", ".css", ".svg"):
            continue
        text = path.read_text("utf-8")
        for pattern in (_STYLES,) if path.suffix == ".css" else (_TAGS, _STYLES):
            for match in pattern.finditer(text):
                address = next(filter(None, match.groups()))
                found.add(f"{path.relative_to(site)}: {address}")
    return sorted(found)
