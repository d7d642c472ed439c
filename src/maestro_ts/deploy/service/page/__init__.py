"""The page at ``/``: one HTML document with its style and script, which asks nobody else."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

__all__ = ["POLICY", "page"]

SCRIPTS = ("draw.js", "ask.js", "live.js")


def _text(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _style() -> str:
    return _text("page.css")


def _script() -> str:
    return "".join(_text(name) for name in SCRIPTS)


def _hash(text: str) -> str:
    """What a browser compares an inline script or style with."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page() -> str:
    """The document."""
    html = _text("page.html")
    return html.replace("/*style*/", _style()).replace("/*script*/", _script())


POLICY = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_hash(_script())}; style-src {_hash(_style())}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
