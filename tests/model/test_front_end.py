"""What the symbol front end refuses; its masks are compared with samples in test_symbolizer."""

import numpy as np
import pytest

from maestro_ts.contract.registry import build_front_end
from maestro_ts.errors import ConfigError
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.masks import point_mask
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows


def test_single_samples_cannot_be_hidden_after_binning() -> None:
    values = np.random.default_rng(0).normal(size=(6, 16, 1))
    windows = Windows.from_arrays({"a": values}, [Modality("a", rate_hz=4)])
    front_end = build_front_end(load_recipe("tiny")).fit(windows)
    with pytest.raises(ConfigError, match="after binning"):
        front_end.collate(front_end.prepare(windows), np.arange(6), point_mask(windows, 0.5))
