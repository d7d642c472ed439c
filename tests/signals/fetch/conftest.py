"""Every test of downloads has an owner's server of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from owner_server import Server, owner_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with owner_server() as running:
        yield running
