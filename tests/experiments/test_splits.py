from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from maestro_ts.contract.registry import MODELS
from maestro_ts.errors import ConfigError
from maestro_ts.experiments.catalogue import EXPERIMENTS, experiment
from maestro_ts.experiments.catalogue.missingness import RATES
from maestro_ts.experiments.catalogue.subsets import subsets
from maestro_ts.experiments.entrants import ENTRANTS, installed, recipe_of
from maestro_ts.experiments.published import published
from maestro_ts.experiments.splits import splits_of
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.datasets import card
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.testing.windows_generator import many_rates, random_windows, sensor_schema


def windows(prefix: str = "s", n: int = 16):
    found = random_windows(many_rates(6), n, seed=0)
    found.subjects = np.array([f"{prefix}{i % 8 + 1}" for i in range(n)])
    return found


def test_folds_test_every_subject_once() -> None:
    people = windows()
    found = splits_of(card("utd-mhad"), people, None, None)
    assert len(found) == 4
    tested = [set(people.subjects[s.test]) for s in found]
    assert sum(map(len, tested)) == len(set.union(*tested)) == 8
    assert all(not set(people.subjects[s.train]) & set(people.subjects[s.test]) for s in found)
    (second,) = splits_of(card("utd-mhad"), people, None, [1])
    assert (second.test == found[1].test).all()


def test_odd_subjects_train_and_even_ones_test() -> None:
    people = windows()
    (split,) = splits_of(card("utd-mhad"), people, "odd-even", None)
    assert set(people.subjects[split.train]) == {"s1", "s3", "s5", "s7"}
    assert set(people.subjects[split.test]) == {"s2", "s4", "s6", "s8"}


def test_the_owners_split_comes_first() -> None:
    people = windows()
    people.sources = np.array([f"set-{'a' if i % 2 else 'b'}/{i}" for i in range(16)])
    people.subjects = np.array([f"p{i}" for i in range(16)])
    (split,) = splits_of(card("physionet2012"), people, None, None)
    assert split.kind == "owners"
    assert all(str(s).startswith("set-b/") for s in people.sources[split.test])


def test_unknown_splits_are_refused() -> None:
    with pytest.raises(ConfigError, match="Known: folds"):
        splits_of(card("umafall"), windows(), "random", None)


def test_experiments_have_names_and_begin_with_complete_input() -> None:
    schema = sensor_schema(many_rates(6))
    for name, found in EXPERIMENTS.items():
        assert found.name == name
        for quick in (False, True):
            first = found.plan(schema, quick)[0]
            assert first.rate == 0 or first.pattern == schema.names
            assert len(found.plan(schema, True)) <= len(found.plan(schema, False))
    with pytest.raises(ConfigError, match="missingness"):
        experiment("missingnes")


def test_missingness_asks_both_modes_and_few_sensors_patterns() -> None:
    few = Schema([Modality(n, rate_hz=4.0) for n in "abc"])
    plan = EXPERIMENTS["missingness"].plan(few, False)
    assert [c.rate for c in plan if c.mode == "modality"] == list(RATES)
    assert [c.rate for c in plan if c.mode == "segment"] == [0.2, 0.4, 0.6, 0.8]
    assert sum(c.mode == "pattern" for c in plan) == 6
    many = Schema([Modality(n, rate_hz=4.0) for n in "abcdef"])
    assert not any(c.mode == "pattern" for c in EXPERIMENTS["missingness"].plan(many, False))


@pytest.mark.parametrize(("devices", "expected"), [(2, 3), (5, 31), (7, 1 + 7 + 7)])
def test_subsets_are_of_devices_where_modalities_are_many(devices, expected) -> None:
    schema = Schema(
        [
            Modality(f"d{d}_{kind}", rate_hz=4.0, device=f"d{d}")
            for d in range(devices)
            for kind in "xyz"
        ]
    )
    found = subsets(schema)
    assert len(set(found)) == len(found) == expected
    assert found[0] == schema.names
    assert all(len(kept) % 3 == 0 for kept in found)


def test_every_ablation_changes_the_default_recipe() -> None:
    own = EXPERIMENTS["ablation"].own
    base = load_recipe("default")
    for name in own:
        assert recipe_of(name, own, "default", {})[1] != base


def test_changes_for_all_have_the_last_word() -> None:
    _, recipe = recipe_of("maestro-plain", {}, "default", {"curriculum.modality_max": 0.2})
    assert recipe.curriculum.modality_max == 0.2
    assert recipe.curriculum.segment_probability == 0.0
    _, paper = recipe_of("maestro-paper", {}, "tiny", {})
    assert paper == load_recipe("paper")


def test_a_registered_model_needs_no_entry(monkeypatch) -> None:
    monkeypatch.setitem(MODELS, "newcomer", replace(MODELS["maestro"], summary="x"))
    title, recipe = recipe_of("newcomer", {}, "tiny", {})
    assert (title, recipe.model_kind) == ("newcomer", "newcomer")
    assert installed(("maestro", "newcomer", "nobody"), {}) == ("maestro", "newcomer")


def test_an_entrant_whose_model_is_not_there_says_which(monkeypatch) -> None:
    monkeypatch.setitem(
        ENTRANTS, "guest", replace(ENTRANTS["maestro"], settings={"model_kind": "away"})
    )
    with pytest.raises(ConfigError, match="guest needs the model 'away'"):
        recipe_of("guest", {}, "tiny", {})


def test_published_values_are_those_of_the_paper() -> None:
    wesad = published("wesad")
    best = [r for r in wesad["missing"] if r["model"] == "MAESTRO"]
    assert [r["macro_f1"] for r in best] == [0.66, 0.68, 0.54, 0.64, 0.61]
    assert [r["accuracy"] for r in best] == [0.77, 0.77, 0.74, 0.74, 0.71]
    (full,) = [r for r in published("dsads")["full"] if r["model"] == "MAESTRO"]
    assert (full["accuracy"], full["macro_f1"]) == (0.88, 0.88)
    for dataset in ("wesad", "dalia-har", "dsads", "mimic3-multibench"):
        assert len(published(dataset)["missing"]) == 30
        assert len(published(dataset)["full"]) == 12
    assert published("wesad-e4") == {"dataset": None, "full": [], "missing": []}
