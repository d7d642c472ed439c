from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import Field

from maestro_ts.contract.registry import build_front_end
from maestro_ts.errors import ConfigError
from maestro_ts.recipe import (
    RECIPES,
    Recipe,
    Settings,
    known_keys,
    load_recipe,
    parse_overrides,
)


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", RECIPES)
def test_named_recipes_load_and_carry_their_name(name: str) -> None:
    assert load_recipe(name).name == name


def test_an_empty_tree_is_not_the_default_recipe() -> None:
    assert load_recipe("default") != Recipe(name="default")


def test_the_papers_recipe_has_the_papers_numbers() -> None:
    recipe = load_recipe("paper")
    assert (recipe.model.heads, recipe.model.encoder_layers) == (8, 2)
    assert recipe.curriculum.schedule == "ramp"
    assert recipe.curriculum.warm_share * recipe.training.epochs == 10
    assert recipe.training.gradient_norm is None


def test_a_recipe_is_passed_through() -> None:
    recipe = load_recipe("tiny")
    assert load_recipe(recipe) is recipe


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read_and_named_after_itself(kind: type, tmp_path: Path) -> None:
    recipe = load_recipe(kind(write(tmp_path, "model: {heads: 2, width: 32}\n")))
    assert recipe.name == "mine"
    assert (recipe.model.heads, recipe.model.width) == (2, 32)
    assert recipe.training == Recipe().training


def test_a_file_may_name_itself(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, "name: short run\n")).name == "short run"


def test_an_empty_file_is_the_plain_tree(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, "")) == Recipe(name="mine")


@pytest.mark.parametrize(
    ("text", "value"), [("3e-4", 3e-4), ("1e3", 1000.0), ("0.02", 0.02), ("1", 1.0), (".5", 0.5)]
)
def test_a_number_in_scientific_notation_is_a_float(
    text: str, value: float, tmp_path: Path
) -> None:
    path = write(tmp_path, f"training: {{learning_rate: {text}}}\n")
    assert load_recipe(path).training.learning_rate == value
    changed = Recipe().override(parse_overrides([f"training.learning_rate={text}"]))
    assert changed.training.learning_rate == value


def test_a_value_may_be_null(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, "training: {gradient_norm: null}\n")).training == (
        Recipe().override({"training.gradient_norm": None}).training
    )


def test_what_yaml_gives_as_a_list_stays_one() -> None:
    changes = parse_overrides(["training.selection_rates=[0, .4]", "symbols.views=[shape]"])
    recipe = Recipe().override(changes)
    assert recipe.training.selection_rates == (0.0, 0.4)
    assert recipe.symbols.views == ("shape",)


# -------------------------------------------------------------------- mistakes


def test_a_mistyped_name_proposes_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no recipe 'defalt'") as caught:
        load_recipe("defalt")
    assert "'default'" in caught.value.fix
    with pytest.raises(ConfigError, match=r"Known: default, paper, tiny"):
        load_recipe("xyz.yaml")


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("model: {head: 2}", "model.heads"),
        ("training: {learn_rate: 0.1}", "training.learning_rate"),
        ("curriculum: {modality_maximum: 0.1}", "curriculum.modality_max"),
    ],
)
def test_a_mistyped_key_names_itself_and_its_neighbours(
    typo: str, meant: str, tmp_path: Path
) -> None:
    path = write(tmp_path, typo)
    with pytest.raises(ConfigError, match="unknown setting") as caught:
        load_recipe(path)
    text = str(caught.value)
    assert ".".join(next((k, *v) for k, v in yaml.safe_load(typo).items())) in text
    assert f"'{meant}'" in text
    assert str(path) in text


@pytest.mark.parametrize(
    ("typo", "meant"), [("model.head", "model.heads"), ("trainin.epochs", "training.epochs")]
)
def test_a_mistyped_override_proposes_its_neighbours(typo: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown setting '{typo}'") as caught:
        Recipe().override({typo: 1})
    assert f"'{meant}'" in caught.value.fix


@pytest.mark.parametrize("key", ["model", "model.", "", "model.heads.x", ".heads"])
def test_an_override_names_one_setting(key: str) -> None:
    with pytest.raises(ConfigError, match="unknown setting"):
        Recipe().override({key: {"heads": 2}})


def test_several_problems_are_told_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "model: {hedas: 2, dropout: 1.5}\ntraining: {epochs: many}\nsymbols: {views: [colour]}\n",
    )
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    for part in ("model.hedas", "model.dropout", "1.5", "training.epochs", "'many'", "'colour'"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("training.epochs", 0),
        ("training.learning_rate", -1.0),
        ("training.validation_share", 1.0),
        ("model.dropout", 1.0),
        ("symbols.tokens", 2.5),
        ("symbols.alphabet", 1),
        ("curriculum.modality_max", 1.1),
        ("budget.rule", "guess"),
        ("training.optimizer", "sgd"),
        ("training.average_decay", 1.0),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_key(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=key):
        Recipe().override({key: value})


def test_settings_that_do_not_fit_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="width=64 must be even and divisible by heads=5"):
        Recipe().override({"model.heads": 5})
    with pytest.raises(ConfigError, match="top_k=5 exceeds count=4"):
        Recipe().override({"experts.top_k": 5})
    with pytest.raises(ConfigError, match="min_steps=2300 exceeds max_steps=1000"):
        load_recipe("default").override({"training.max_steps": 1000})


@pytest.mark.parametrize(
    ("text", "why"),
    [("model: {heads: 2", "not YAML"), ("- a\n- b\n", "a mapping"), ("model: 3", "model")],
)
def test_a_file_that_is_no_recipe_is_refused(text: str, why: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=why) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="not YAML"):
        load_recipe(path)


def test_yaml_cannot_run_code(tmp_path: Path) -> None:
    path = write(tmp_path, f"name: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n")
    with pytest.raises(ConfigError, match="not YAML"):
        load_recipe(path)
    assert not (tmp_path / "made").exists()


def test_overrides_need_an_equals_sign() -> None:
    with pytest.raises(ConfigError, match=r"takes key=value, got 'model\.heads'"):
        parse_overrides(["model.heads"])


def test_an_override_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"symbols\.views"):
        parse_overrides(["symbols.views=[shape"])


def test_overrides_may_hold_an_equals_sign_and_spaces() -> None:
    assert parse_overrides(["name = a=b", "model.heads= 2"]) == {"name": "a=b", "model.heads": 2}


# ------------------------------------------------------------------ the object


def test_an_override_leaves_the_original_alone() -> None:
    recipe = Recipe()
    changed = recipe.override({"model.heads": 2, "name": "two heads"})
    assert (changed.model.heads, changed.name) == (2, "two heads")
    assert (recipe.model.heads, recipe.name) == (4, "custom")


def test_a_recipe_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe().name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        Recipe().model.heads = 2  # type: ignore[misc]


@pytest.mark.parametrize("name", RECIPES)
def test_yaml_brings_back_the_same_recipe(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name).override({"training.learning_rate": 1e-7, "symbols.bin_s": 0.25})
    assert load_recipe(write(tmp_path, recipe.to_yaml())) == recipe


def test_yaml_keeps_the_order_of_the_groups() -> None:
    groups = [
        *("symbols", "model", "budget", "experts"),
        *("curriculum", "augmentation", "training", "rival"),
    ]
    assert list(yaml.safe_load(Recipe().to_yaml()))[2:] == groups


def test_every_key_can_be_overridden_with_its_own_value() -> None:
    recipe = load_recipe("paper")
    tree = recipe.model_dump()
    values = {
        key: tree[key] if "." not in key else tree[key.split(".")[0]][key.split(".")[1]]
        for key in known_keys()
    }
    assert len(values) > 50
    assert recipe.override(values) == recipe


class Own(Settings):
    trees: int = Field(3, ge=1)


def test_a_model_has_settings_of_its_own() -> None:
    recipe = Recipe().override(parse_overrides(["rival.trees=5"]))
    assert Recipe().own(Own).trees == 3
    assert recipe.own(Own).trees == 5
    assert recipe.override({"rival.trees": 7}).own(Own).trees == 7
    assert recipe.rival == {"trees": 5}


def test_an_own_setting_that_its_model_lacks_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'rival.tree'. Did you mean 'rival.trees'"):
        Recipe().override({"rival.tree": 5}).own(Own)
    with pytest.raises(ConfigError, match=r"rival.trees: .*greater than or equal to 1 \(got 0\)"):
        Recipe().override({"rival.trees": 0}).own(Own)
    with pytest.raises(ConfigError, match=r"model maestro: .*has no settings of its own"):
        build_front_end(Recipe().override({"rival.trees": 5}))
