"""Logistic regression and the class shares: what they are, by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from maestro_ts import MaestroClassifier
from maestro_ts.baselines.statistics import statistics_nine
from maestro_ts.signals.masks import hide, pattern_mask
from maestro_ts.signals.windows import Windows

Make = Callable[..., Windows]
WITHOUT = {"curriculum.modality_max": 0.0, "curriculum.segment_probability": 0.0}


def test_logistic_regression_is_scikit_learns_on_the_statistics(shaken: Make) -> None:
    train, test = shaken(48), shaken(16, 1)
    settings = WITHOUT | {"model_kind": "logistic", "rival.statistics": "nine"}
    clf = MaestroClassifier(settings=settings | {"rival.strength": 0.5}).fit(train)
    by_hand = make_pipeline(StandardScaler(), LogisticRegression(C=2.0, max_iter=1000))
    by_hand.fit(statistics_nine(train)[0].astype(float), train.labels)
    wanted = by_hand.predict_proba(statistics_nine(test)[0].astype(float))
    np.testing.assert_allclose(clf.predict_proba(test), wanted, rtol=1e-6, atol=1e-9)


def test_logistic_regression_does_without_sensors(shaken: Make) -> None:
    train, test = shaken(80), shaken(40, 1)
    clf = MaestroClassifier(settings={"model_kind": "logistic"}, random_state=0).fit(train)
    for windows in (test, hide(test, pattern_mask(test, ["acc"]))):
        assert clf.score(windows, windows.labels) > 0.85
    nothing = clf.explain(hide(test, pattern_mask(test, []))).logits
    assert np.isfinite(nothing).all()
    assert (nothing == nothing[0]).all()


def test_three_classes_have_a_line_each(shaken: Make) -> None:
    train = shaken(48)
    three = np.where(np.arange(48) % 8 == 7, "pause", train.labels.astype(str))
    clf = MaestroClassifier(settings=WITHOUT | {"model_kind": "logistic"}).fit(train, three)
    np.testing.assert_allclose(clf.predict_proba(train).sum(axis=1), 1.0)
    assert clf.score(train, three) > 0.9


def test_the_majority_says_the_shares_whatever_it_sees(shaken: Make) -> None:
    train = shaken(24)  # sixteen windows of rest, eight of the other
    clf = MaestroClassifier(settings={"model_kind": "majority"}).fit(train)
    # With one more window each.
    np.testing.assert_allclose(clf.predict_proba(shaken(5, 1)), [[17 / 26, 9 / 26]] * 5, rtol=1e-6)
    weighted = clf.fit(train, sample_weight=np.where(train.labels == "rest", 1.0, 4.0))
    assert (weighted.predict(train) == "shake").all()
