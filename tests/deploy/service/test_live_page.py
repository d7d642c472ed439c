"""The page: in one piece, its policy fits it; in a real browser at two widths it answers."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from maestro_ts.deploy.service.app import create_app
from maestro_ts.deploy.service.example import Example
from maestro_ts.deploy.service.limits import Limits
from maestro_ts.deploy.service.page import page
from maestro_ts.deploy.service.predicting import Predicting
from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.deploy.service.server import Server, listen
from maestro_ts.signals.recording import Interval

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
Body = Callable[..., dict[str, Any]]


def test_the_policy_admits_the_pages_own_script_and_nothing_else(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.text == page()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page(), flags=re.S)
        known = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{known}'" in policy
    assert "http" not in page()
    assert "/*s" not in page()


@pytest.fixture
def url(run: ServedRun, body: Body) -> Iterator[str]:
    """A service with an example whose label is right at first and then is not."""
    predicting = Predicting(run, Limits())
    example = Example("An example", body(20.0), (Interval(0.0, 20.0, "rest"),))
    own = listen("127.0.0.1", 0)
    app = create_app(predicting, token="s3cret", example=example)
    server = Server(uvicorn.Config(app, log_level="warning", access_log=False), predicting)
    thread = threading.Thread(target=lambda: server.run(sockets=[own]), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{own.getsockname()[1]}/"
    server.handle_exit(signal.SIGTERM, None)
    thread.join(20)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium on the path")
@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1280, "light")])
def test_a_newcomer_switches_sensors_off(url: str, tmp_path: Path, width: int, scheme: str) -> None:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="not run: playwright (165 MB, in no extra) is not installed"
    )
    table = tmp_path / "mine.csv"
    rows = [f"acc,{i / 16},{1 + i % 3},1,1" for i in range(160)]
    table.write_text("modality,time_s,c1,c2,c3\n" + "\n".join(rows) + "\n")
    problems: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"]
        )
        view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        view.on("pageerror", lambda error: problems.append(str(error)))
        asked: list[str] = []
        view.on("request", lambda request: asked.append(request.url))
        view.goto(url)
        view.get_by_label("This service asks for its token.").fill("s3cret")
        view.keyboard.press("Enter")
        view.get_by_role("button", name="Demo recording").click()
        switch = {
            name: view.get_by_role("switch", name=name) for name in ("acc", "age", "eda", "steps")
        }
        switch["acc"].wait_for()
        before = view.locator("#at").inner_text()
        assert "acc" in before
        assert "windows with one true class" in view.locator("#change").inner_text()
        # By keyboard, all of them.
        for each in switch.values():
            each.focus()
            view.keyboard.press("Space")
        nothing = view.get_by_text("Nothing is known: no sensor is there.")
        nothing.wait_for()
        assert view.locator("#at").inner_text() != before
        assert all(each.get_attribute("aria-checked") == "false" for each in switch.values())
        view.get_by_role("button", name="All on").click()
        nothing.wait_for(state="hidden")
        assert view.locator("#at").inner_text() == before
        view.get_by_role("button", name="Zoom").click()
        view.get_by_role("slider", name="Look at").press("ArrowRight")
        view.get_by_text("4–8 s: show all").wait_for()
        # A table of one's own: what it lacks is said, what is bad is refused by name.
        view.set_input_files("#file", table)
        view.locator("#list li").nth(2).get_by_text("absent").wait_for()
        assert view.locator("#title").inner_text() == "run"
        table.write_text("modality,time_s,c1\nac,0,1\n")
        view.set_input_files("#file", table)
        view.get_by_role("alert").get_by_text("Did you mean 'acc'").wait_for()
        size = view.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        background = view.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()
    assert size[0] <= size[1] == width
    assert background == ("rgb(20, 24, 29)" if scheme == "dark" else "rgb(254, 254, 254)")
    assert problems == []
    assert all(each.startswith(url) for each in asked if not each.startswith("data:"))
