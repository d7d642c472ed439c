from __future__ import annotations

from pathlib import Path

import pytest
from tiny_experiment import write_data


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))
