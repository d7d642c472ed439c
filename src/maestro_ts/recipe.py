"""Settings: one pydantic tree, named recipes (``recipes/*.yaml``), YAML and ``key=value``.

Units are in the names. A key that does not exist is an error that names it and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from maestro_ts.errors import ConfigError, nearest

__all__ = [
    "RECIPES",
    "AugmentationSettings",
    "BudgetSettings",
    "CurriculumSettings",
    "ExpertSettings",
    "ModelSettings",
    "Recipe",
    "Settings",
    "SymbolSettings",
    "TrainingSettings",
    "load_recipe",
]

RECIPES = ("default", "paper", "tiny")


class Settings(BaseModel):
    """Base of all groups: unknown keys are refused, values are checked on assignment."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Settings)


class SymbolSettings(Settings):
    """Numbers → symbols (method: symbols)."""

    tokens: int = Field(32, ge=1, description="Bins per window and stream.")
    bin_s: float | None = Field(None, gt=0, description="Bin length; decides over `tokens`.")
    alphabet: int = Field(20, ge=2, le=250, description="Number of symbols besides missing.")
    views: tuple[Literal["shape", "level", "spread"], ...] = ("shape", "level", "spread")
    dictionary: int = Field(
        0, ge=0, description="Groups of kernels per dilation and representation; 0: no words."
    )
    summary: bool = Field(True, description="One more token per modality from window statistics.")
    course: bool = Field(
        False, description="The order of bins in the summary's symbols too, for `linear_member`."
    )
    min_share: float = Field(0.0, ge=0, le=1, description="Share of a bin that must be valid.")
    interpolate_hz: float | None = Field(
        None, gt=0, description="Slower streams are interpolated to this rate first (paper: 32)."
    )
    embedding: Literal["ordinal", "table", "id"] = "ordinal"
    missing: Literal["symbol", "zero", "mean"] = Field(
        "symbol", description="What missing bins hold: a symbol of their own, or those of a number."
    )


class BudgetSettings(Settings):
    """Queries that a modality may attend with."""

    rule: Literal["fractional", "paper", "code", "fixed"] = "fractional"
    beta: float = Field(5.0, gt=0, description="Largest budget, in units of ln(length) queries.")
    fusion_beta: float | None = Field(
        None, gt=0, description="Queries of the fusion, in units of ceil(ln(length)); None: beta."
    )
    start: float = Field(0.5, gt=0, lt=1, description="Budget before training, as share of beta.")
    price: float = Field(0.0, ge=0, description="Loss per unit of mean budget.")
    softness: float = Field(0.5, gt=0, description="Width of the early sigmoid around the budget.")
    anneal_share: float = Field(0.5, gt=0, le=1, description="Share of training until it is exact.")


class ExpertSettings(Settings):
    """Sparse mixture of experts in the fusion layers."""

    count: int = Field(4, ge=1)
    top_k: int = Field(1, ge=1)
    hidden_multiple: float = Field(2.0, gt=0)
    shared_multiple: float | None = Field(
        None, gt=0, description="Width of a layer that serves every token besides; None: no layer."
    )
    balance: Literal["none", "loss_free"] = "none"
    balance_rate: float = Field(0.001, gt=0)
    placement: Literal["fusion", "head", "none"] = "fusion"

    @model_validator(mode="after")
    def _top_k_fits(self) -> ExpertSettings:
        if self.top_k > self.count:
            raise ValueError(f"top_k={self.top_k} exceeds count={self.count}")
        return self


class ModelSettings(Settings):
    """The network."""

    width: int = Field(64, ge=2)
    heads: int = Field(4, ge=1)
    encoder: Literal["per_modality", "shared"] = "per_modality"
    encoder_layers: int = Field(1, ge=0)
    encoder_distil: bool = True
    fusion_layers: int = Field(2, ge=0)
    fusion_distil: bool = False
    feed_forward_multiple: float = Field(2.0, gt=0)
    dropout: float = Field(0.2, ge=0, lt=1)
    attention: Literal["sparse", "dense"] = "sparse"
    absent: Literal["token", "none", "symbols"] = "token"
    modality_embedding: bool = Field(
        True, description="Tokens are told which modality they are of."
    )
    members: int = Field(1, ge=1, description="Networks whose mean is the answer; cost follows.")
    linear_member: bool = Field(False, description="One more member, linear in the symbols.")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="Of the arithmetic; weights and their updates stay float32."
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ModelSettings:
        if self.width % self.heads or self.width % 2:
            raise ValueError(f"width={self.width} must be even and divisible by heads={self.heads}")
        return self


class CurriculumSettings(Settings):
    """What is hidden in training, drawn per sample; at least one modality stays."""

    schedule: Literal["uniform", "ramp"] = "uniform"
    modality_max: float = Field(0.6, ge=0, le=1, description="Largest rate of lost modalities.")
    warm_share: float = Field(0.1, ge=0, lt=1, description="Share of training without any loss.")
    segment_probability: float = Field(0.3, ge=0, le=1, description="Per sample and modality.")
    segment_max_share: float = Field(0.5, ge=0, le=1, description="Of the window.")


class AugmentationSettings(Settings):
    """Changes of the training windows, drawn anew every few epochs; all 0: none."""

    shift: float = Field(0.0, ge=0, lt=1, description="Of time, as share of the window.")
    stretch: float = Field(0.0, ge=0, lt=1, description="Of time, as log of the pace.")
    rotation_deg: float = Field(
        0.0, ge=0, le=180, description="Of sensors with three channels, together per device."
    )
    offset: float = Field(
        0.0, ge=0, description="Of one-channel sensors' level, in deviations of training windows."
    )
    gain: float = Field(0.0, ge=0, description="Of the same sensors, as log of the factor.")
    slower: float = Field(
        0.0, ge=0, le=1, description="Probability that a device gives every 2nd to 4th sample."
    )
    every: int = Field(3, ge=1, description="Epochs with one draw.")
    max_windows: int = Field(2000, ge=0, description="Larger training sets are left as they are.")

    def applies(self, windows: int) -> bool:
        """Whether so many training windows are changed."""
        changes = (self.shift, self.stretch, self.rotation_deg, self.offset, self.gain)
        return windows <= self.max_windows and any(changes)


class TrainingSettings(Settings):
    """Optimisation and model selection."""

    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.02, ge=0)
    schedule: Literal["cosine", "constant"] = "cosine"
    warm_up_share: float = Field(0.1, ge=0, lt=1)
    gradient_norm: float | None = Field(1.0, gt=0)
    batch_size: int = Field(32, ge=1)
    epochs: int = Field(120, ge=1)
    min_steps: int = Field(0, ge=0, description="Epochs are added until this many steps.")
    max_steps: int | None = Field(
        None, ge=1, description="Epochs are left out beyond this many steps; None: none are."
    )
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    ranking_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Of a loss by which more modalities must not do worse than some of them; a "
        "step then costs twice as much. 0: off.",
    )
    average_decay: float | None = Field(
        None, gt=0, lt=1, description="Exponential moving average of the weights; None: off."
    )
    validation_share: float = Field(
        0.15, ge=0, lt=1, description="Of the windows, by subject; 0: the last weights are kept."
    )
    selection_rates: tuple[float, ...] = Field(
        (0.0,), description="Missing rates whose mean validation macro-F1 selects the weights."
    )
    patience: int | None = Field(None, ge=1, description="Epochs without gain before stopping.")
    evaluate_every: int = Field(1, ge=1, description="Epochs between validations.")

    @model_validator(mode="after")
    def _steps_fit(self) -> TrainingSettings:
        if self.max_steps is not None and self.min_steps > self.max_steps:
            raise ValueError(f"min_steps={self.min_steps} exceeds max_steps={self.max_steps}")
        return self


class Recipe(Settings):
    """All settings of a run."""

    name: str = "custom"
    model_kind: str = Field("maestro", description="Name in the registry of models.")
    symbols: SymbolSettings = SymbolSettings()
    model: ModelSettings = ModelSettings()
    budget: BudgetSettings = BudgetSettings()
    experts: ExpertSettings = ExpertSettings()
    curriculum: CurriculumSettings = CurriculumSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    training: TrainingSettings = TrainingSettings()
    rival: dict[str, Any] = Field({}, description="Settings of `model_kind` alone, its `Settings`.")

    def own(self, kind: type[S]) -> S:
        """The group `rival`, checked by the settings of its model."""
        try:
            return kind(**self.rival)
        except ValidationError as error:
            known = [f"rival.{key}" for key in kind.model_fields]
            where = f"model {self.model_kind}"
            raise ConfigError(_problems(error, known, "rival."), where=where) from error

    def override(self, changes: Mapping[str, Any]) -> Recipe:
        """A recipe with dotted keys changed, e.g. ``{"model.heads": 4}``."""
        tree = self.model_dump()
        for key, value in changes.items():
            _set(tree, key, value)
        return _validated(tree, "--set")

    def to_yaml(self) -> str:
        """The whole tree as YAML, in the order of this file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def known_keys() -> list[str]:
    """All dotted keys."""
    tree = Recipe().model_dump()
    return [
        f"{group}.{key}" if isinstance(values, dict) else group
        for group, values in tree.items()
        for key in (values if isinstance(values, dict) else [group])
    ]


def _set(tree: dict[str, Any], key: str, value: Any) -> None:
    if key not in known_keys() and not key.startswith("rival."):
        raise ConfigError(f"unknown setting {key!r}.", fix=nearest(key, known_keys()))
    group, _, leaf = key.partition(".")
    if leaf:
        tree[group][leaf] = value
    else:
        tree[group] = value


def _validated(tree: Mapping[str, Any], where: str) -> Recipe:
    try:
        return Recipe(**tree)
    except ValidationError as error:
        raise ConfigError(_problems(error, known_keys()), where=where) from error


def _problems(error: ValidationError, known: list[str], group: str = "") -> str:
    problems = []
    for item in error.errors():
        path = group + ".".join(str(p) for p in item["loc"])
        if item["type"] == "extra_forbidden":
            fix = nearest(path, known) if known else "This model has no settings of its own."
            problems.append(f"unknown setting {path!r}. {fix}")
        else:
            problems.append(f"{path}: {item['msg']} (got {item.get('input')!r})")
    return "; ".join(problems)


def parse_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """``["model.heads=4"]`` → ``{"model.heads": 4}``; values are read as YAML."""
    changes = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set takes key=value, got {pair!r}.")
        try:
            changes[key.strip()] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {pair!r}: {error}") from error
    return changes


def load_recipe(name: str | Path | Recipe) -> Recipe:
    """A named recipe, or one from a YAML file.

    Raises
    ------
    ConfigError
        Unknown name or key, or a value that does not fit; all problems at once.
    """
    if isinstance(name, Recipe):
        return name
    if str(name) in RECIPES:
        text = (resources.files("maestro_ts") / "recipes" / f"{name}.yaml").read_text()
        return _validated(yaml.safe_load(text) | {"name": str(name)}, f"recipe {name}")
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"no recipe {str(name)!r}.", fix=nearest(str(name), RECIPES))
    try:
        tree = yaml.safe_load(path.read_text()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"not YAML: {error}", where=str(path)) from error
    if not isinstance(tree, dict):
        raise ConfigError("a recipe is a mapping of groups.", where=str(path))
    return _validated({"name": path.stem} | tree, str(path))
