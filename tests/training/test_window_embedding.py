from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from maestro_ts import MaestroClassifier, Modality

SENSORS = (Modality("acc", channels=3, rate_hz=20), Modality("eda", rate_hz=4))
Y = np.arange(40) % 2


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"acc": rng.normal(size=(40, 40, 3)) + Y[:, None, None], "eda": rng.normal(size=(40, 8))}


def classifier() -> MaestroClassifier:
    return MaestroClassifier(
        SENSORS, recipe="tiny", settings={"training.epochs": 4}, random_state=0
    )


@pytest.fixture(scope="module")
def fitted() -> MaestroClassifier:
    return classifier().fit(arrays(), Y)


def test_an_embedding_is_what_the_head_is_given(fitted: MaestroClassifier) -> None:
    found = fitted.transform(arrays(1))
    assert found.shape == (40, 16)
    assert found.dtype == np.float32
    with torch.no_grad():
        logits = fitted.network_.head(torch.from_numpy(found)).numpy()
    np.testing.assert_allclose(logits, fitted.explain(arrays(1)).logits, rtol=1e-4, atol=1e-5)


def test_a_window_with_a_sensor_missing_has_one_too(fitted: MaestroClassifier) -> None:
    without = fitted.transform({"acc": arrays(1)["acc"]})
    assert np.isfinite(without).all()
    assert not np.allclose(without, fitted.transform(arrays(1)))


def test_other_tools_can_learn_from_it() -> None:
    model = make_pipeline(classifier(), LogisticRegression()).fit(arrays(), Y)
    assert model.score(arrays(2), Y) > 0.9


def test_fit_transform_is_both_in_turn_and_columns_have_names(fitted: MaestroClassifier) -> None:
    assert np.array_equal(classifier().fit_transform(arrays(), Y), fitted.transform(arrays()))
    assert fitted.get_feature_names_out()[:2].tolist() == [
        *("maestroclassifier0", "maestroclassifier1"),
    ]


def test_before_fitting_there_is_none() -> None:
    with pytest.raises(NotFittedError):
        classifier().transform(arrays())
