from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.recipe import CurriculumSettings, load_recipe
from maestro_ts.signals.curriculum import draw_mask, modality_rate

N, M = 4000, 4
EVERYTHING = np.ones((N, M), dtype=bool)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def lost(settings: CurriculumSettings, present: np.ndarray, share: float) -> float:
    """Realised share of present modalities that the mask hides."""
    mask = draw_mask(settings, present, share, rng())
    return float((~mask.keep & present).sum() / present.sum())


def shares(epochs: int, batches: int) -> np.ndarray:
    return np.arange(epochs * batches) / (epochs * batches)


def test_every_sample_draws_its_own_mask() -> None:
    keep = draw_mask(CurriculumSettings(modality_max=0.8), EVERYTHING, 0.5, rng()).keep
    assert len({tuple(row) for row in keep.tolist()}) == 2**M - 1


def test_the_same_generator_draws_the_same_mask() -> None:
    one, two, other = (
        draw_mask(CurriculumSettings(), EVERYTHING, 0.5, rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one.keep, two.keep)
    assert np.array_equal(one.segments, two.segments)
    assert not np.array_equal(one.keep, other.keep)


@pytest.mark.parametrize("schedule", ["uniform", "ramp"])
def test_one_present_modality_is_left_even_at_a_rate_of_one(schedule: str) -> None:
    settings = CurriculumSettings(schedule=schedule, modality_max=1.0)
    present = rng(3).random((N, M)) < 0.4
    present[np.arange(N), rng(4).integers(M, size=N)] = True
    keep = draw_mask(settings, present, 0.999, rng()).keep
    assert (keep & present).any(axis=1).all()


def test_the_survivor_is_any_of_the_present_ones() -> None:
    settings = CurriculumSettings(schedule="ramp", modality_max=1.0)
    present = EVERYTHING.copy()
    present[:, 2] = False
    kept = draw_mask(settings, present, 1.0, rng()).keep & present
    assert (kept.sum(axis=1) == 1).all()
    assert np.allclose(kept.mean(axis=0), [1 / 3, 1 / 3, 0, 1 / 3], atol=0.03)


def test_a_naturally_absent_modality_is_no_survivor() -> None:
    settings = CurriculumSettings(schedule="ramp", modality_max=1.0)
    present = np.zeros((N, M), dtype=bool)
    present[:, 1] = True
    assert draw_mask(settings, present, 1.0, rng()).keep[:, 1].all()


def test_a_sample_without_any_sensor_is_legal() -> None:
    mask = draw_mask(CurriculumSettings(), np.zeros((3, M), dtype=bool), 0.5, rng())
    assert mask.keep.shape == (3, M)


@pytest.mark.parametrize("schedule", ["uniform", "ramp"])
def test_nothing_is_hidden_before_the_warm_up_ends(schedule: str) -> None:
    settings = CurriculumSettings(
        schedule=schedule, modality_max=1.0, warm_share=0.2, segment_probability=1.0
    )
    for share in (0.0, 0.1, 0.1999):
        mask = draw_mask(settings, EVERYTHING, share, rng())
        assert mask.keep.all()
        assert not (mask.segments[..., 1] > mask.segments[..., 0]).any()
    after = draw_mask(settings, EVERYTHING, 0.3, rng())
    assert not after.keep.all()
    assert (after.segments[..., 1] > after.segments[..., 0]).any()


def test_the_ramp_rises_linearly_from_the_warm_up_to_the_maximum() -> None:
    settings = CurriculumSettings(schedule="ramp", modality_max=0.4, warm_share=0.2)
    at = [modality_rate(settings, share) for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    assert np.allclose(at, [0.0, 0.0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("epochs", [10, 200])
def test_the_ramp_of_the_paper_reaches_its_maximum_in_short_and_long_runs(epochs: int) -> None:
    settings = load_recipe("paper").curriculum
    rates = [modality_rate(settings, share) for share in shares(epochs, batches=20)]
    assert rates[-1] == pytest.approx(settings.modality_max, rel=0.01)
    assert max(rates) <= settings.modality_max
    assert (np.diff(rates) >= 0).all()


def test_the_uniform_schedule_is_at_its_maximum_from_the_warm_up_on() -> None:
    settings = CurriculumSettings(schedule="uniform", modality_max=0.6, warm_share=0.1)
    at = [modality_rate(settings, share) for share in (0.05, 0.1, 0.5, 0.99)]
    assert at == [0.0, 0.6, 0.6, 0.6]


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_the_realised_rate_follows_the_ramp(share: float) -> None:
    settings = CurriculumSettings(schedule="ramp", modality_max=0.4)
    rate = modality_rate(settings, share)
    # One of all M that would be lost is put back.
    assert lost(settings, EVERYTHING, share) == pytest.approx(rate - rate**M / M, abs=0.015)


def test_the_realised_rate_of_the_uniform_schedule_is_half_its_maximum() -> None:
    settings = CurriculumSettings(schedule="uniform", modality_max=0.6)
    all_lost = 0.6**M / (M + 1)  # mean of rate ** M over rates between 0 and 0.6
    assert lost(settings, EVERYTHING, 0.5) == pytest.approx(0.3 - all_lost / M, abs=0.015)


def test_the_uniform_schedule_draws_a_rate_per_sample() -> None:
    settings = CurriculumSettings(schedule="uniform", modality_max=1.0)
    count = draw_mask(settings, np.ones((N, 20), dtype=bool), 0.5, rng()).keep.sum(axis=1)
    # Were the rate the same for all, 98 % of the samples would keep 6 to 14 of 20.
    assert ((count < 6) | (count > 14)).mean() > 0.4


def test_segments_lie_in_the_window_and_are_no_longer_than_allowed() -> None:
    settings = CurriculumSettings(segment_probability=0.5, segment_max_share=0.3)
    segments = draw_mask(settings, EVERYTHING, 0.5, rng()).segments
    length = segments[..., 1] - segments[..., 0]
    assert (segments >= 0.0).all()
    assert (segments <= 1.0).all()
    assert length.max() <= 0.3 + 1e-12
    assert length.max() > 0.29
    assert length.min() >= 0.0


def test_segments_hit_the_asked_share_of_samples_and_modalities() -> None:
    settings = CurriculumSettings(segment_probability=0.3)
    segments = draw_mask(settings, EVERYTHING, 0.5, rng()).segments
    hit = segments[..., 1] > segments[..., 0]
    assert hit.mean() == pytest.approx(0.3, abs=0.015)
    assert 0 < hit.all(axis=1).mean() < hit.any(axis=1).mean() < 1


def test_a_segment_probability_of_zero_hides_no_segment() -> None:
    settings = CurriculumSettings(segment_probability=0.0)
    assert not draw_mask(settings, EVERYTHING, 0.5, rng()).segments.any()
