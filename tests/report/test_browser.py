"""The page in a real browser: no request, no overflow, both schemes, working buttons."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from maestro_ts.evaluation.results import Results
from maestro_ts.report.page import render
from maestro_ts.report.theme import DARK, INK

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on the path"),
]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Listens before anything else of the page runs.
WATCH = """<script>window.problems = [];
addEventListener('error', e => problems.push(String(e.message)));
addEventListener('unhandledrejection', e => problems.push(String(e.reason)));
addEventListener('securitypolicyviolation', e => problems.push('blocked ' + e.blockedURI));
</script>"""
# A headless window is at least 500 pixels wide; a frame can be a telephone.
FRAME = """<!doctype html><html><head><link rel="icon" href="data:,"></head>
<body style="margin:0"><iframe src="page.html" style="border:0;width:%dpx;height:2000px"></iframe>
<pre id="seen"></pre><script>
const frame = document.querySelector('iframe');
const look = () => {
  const page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow;
  const plots = [...page.querySelectorAll('[data-figure]')];
  if (plots.some(p => !p.querySelector('.main-svg'))) { setTimeout(look, 100); return; }
  for (const item of page.querySelectorAll('details')) item.open = true;
  for (const group of page.querySelectorAll('.choices')) group.lastElementChild.click();
  setTimeout(() => {
    const text = page.querySelector('[data-figure] text');
    document.getElementById('seen').textContent = JSON.stringify({
      scroll: root.scrollWidth, client: root.clientWidth, plots: plots.length,
      problems: view.problems, title: page.title,
      requests: view.performance.getEntriesByType('resource').map(e => e.name),
      ink: text ? view.getComputedStyle(text).fill : '',
      page: view.getComputedStyle(page.body).backgroundColor,
      shown: plots.flatMap(p => p.data.filter(t => t.meta?.choice && t.visible)
        .map(t => t.meta.choice)),
    });
  }, 500);
};
frame.addEventListener('load', look);
</script></body></html>"""


@contextmanager
def served(pages: dict[str, str]) -> Iterator[tuple[int, list[str]]]:
    """A server of these pages and the list of what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()


def seen(results: Results, width: int, profile: Path, *, dark: bool) -> dict[str, Any]:
    """What the browser made of the page in a frame of this width."""
    pages = {
        "/frame.html": FRAME % width,
        "/page.html": render(results).replace("<head>", "<head>" + WATCH, 1),
    }
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    with served(pages) as (port, asked):
        done = subprocess.run(
            [
                str(BROWSER),
                *FLAGS,
                scheme,
                f"--user-data-dir={profile}",
                f"--window-size={max(width, 500)},2000",
                "--virtual-time-budget=20000",
                "--dump-dom",
                f"http://127.0.0.1:{port}/frame.html",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"HOME": str(profile)},
            check=True,
        )
    found = done.stdout.split('<pre id="seen">')[1].split("</pre>")[0]
    return json.loads(unescape(found)) | {"asked": asked}


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize(("name", "dark"), [("few", False), ("many", True), ("hostile", True)])
def test_no_request_and_no_overflow(
    name: str, dark: bool, width: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    page = seen(request.getfixturevalue(name), width, tmp_path, dark=dark)
    assert page["plots"] >= 9
    assert page["problems"] == []
    assert page["requests"] == []
    assert page["asked"] == ["/frame.html", "/page.html"]
    assert width - 20 <= page["client"] <= width  # a scroll bar takes its share
    assert page["scroll"] == page["client"]
    assert page["title"] != "owned"
    ink = DARK[INK] if dark else INK
    assert page["ink"] == f"rgb({', '.join(str(int(ink[i : i + 2], 16)) for i in (1, 3, 5))})"
    assert page["page"] == ("rgb(20, 24, 29)" if dark else "rgb(254, 254, 254)")
    # The last button of each group was pressed.
    assert "Accuracy" in page["shown"]
    assert "Macro-F1" not in page["shown"]
    assert "Everything present" not in page["shown"]
