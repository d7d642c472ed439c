"""How Sphinx builds the site: ``make docs``. Its source is the repository, so links hold.

Pages are plain Markdown that the code host shows as well; built, they ask nothing of any server.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "docs")]

from offline import foreign_requests  # noqa: E402

from maestro_ts import __version__  # noqa: E402

project = "maestro-ts"
author = "the maestro-ts authors"
copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "docs/results/**.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = [".*", "build", "dist", "src", "tests", "benchmarks", "runs", "experiments"]
source_suffix = {".md": "markdown"}

myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say types and shapes
autosummary_generate = False  # numpydoc loads it; it is not used
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "maestro-ts"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_front"]
templates_path = ["_templates"]
html_sidebars = {"**": ["pages.html"]}
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "navbar_center": [],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def leave_out_of_the_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Tables of experiments are reached from the page of results alone."""
    if page.startswith("docs/results/"):
        source[0] = f"---\norphan: true\n---\n{source[0]}"


def list_every_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Pages that the contents do not name yet come below `usage`."""
    if page == root_doc:
        pages = sorted(path.stem for path in (ROOT / "docs").glob("*.md"))
        unnamed = [p for p in pages if p != "index" and f"\n{p}\n" not in source[0]]
        source[0] = source[0].replace("\nusage\n", "\n".join(["\nusage", *unnamed, ""]), 1)


def refuse_requests(app: Sphinx, failure: Exception | None) -> None:
    """A page that needs the network is a warning, and with ``-W`` a failure."""
    for request in foreign_requests(Path(app.outdir)) if failure is None else ():
        logging.getLogger(__name__).warning("not readable offline: %s", request)


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("source-read", list_every_page)
    app.connect("source-read", leave_out_of_the_contents)
    app.connect("build-finished", refuse_requests)
