"""`check_model`: what every registered model must be able to do, runnable by third parties.

With pytest, one test per check::

    @pytest.mark.parametrize("check", MODEL_CHECKS)
    def test_my_model(check):
        check_model("my_model", checks=[check])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from maestro_ts.contract.registry import entry_of, fits_at_once
from maestro_ts.errors import ConfigError, nearest
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.testing import model_checks, model_checks_inputs, model_checks_runs
from maestro_ts.testing.model_case import ModelCase

__all__ = ["MODEL_CHECKS", "check_model"]

MODEL_CHECKS: dict[str, Callable[[ModelCase], None]] = {
    "shapes": model_checks.check_shapes,
    "gradients": model_checks.check_gradients,
    "deterministic": model_checks.check_deterministic,
    "neighbours": model_checks.check_neighbours,
    "masked_values": model_checks.check_masked_values,
    "modality_counts": model_checks.check_modality_counts,
    "unequal_rates": model_checks_inputs.check_unequal_rates,
    "all_missing": model_checks_inputs.check_all_missing,
    "constant_windows": model_checks_inputs.check_constant_windows,
    "batch_of_one": model_checks_inputs.check_batch_of_one,
    "unseen_patterns": model_checks_inputs.check_unseen_patterns,
    "save_load": model_checks_runs.check_save_load,
    "precision": model_checks_runs.check_precision,
    "size": model_checks_runs.check_size,
    "learns": model_checks_runs.check_learns,
    "key_order": model_checks_inputs.check_key_order,
    "no_side_effects": model_checks_runs.check_no_side_effects,
    "dropped_sensors": model_checks_runs.check_dropped_sensors,
}


def check_model(
    name: str,
    recipe: str | Recipe | None = None,
    exempt: Mapping[str, Sequence[str]] | None = None,
    checks: Iterable[str] | None = None,
) -> None:
    """Run the checks on a registered model, on the CPU; about twenty seconds for a small one.

    Parameters
    ----------
    name : str
        In the registry (`contract.registry`); third parties use the entry-point group.
    recipe : str or Recipe, optional
        Its settings; keep them small. By default the recipe ``tiny``.
    exempt : dict of check to sequence of str, optional
        What the model cannot do by design. For ``gradients`` the parameters (patterns as in
        `fnmatch`) that no gradient reaches: it is checked that these are exactly the ones. For
        any other check, and for a model that is fitted at once, the reasons why it is not run.
        To these come those of its entry in the registry.
    checks : iterable of str, optional
        Only these of `MODEL_CHECKS`.

    Raises
    ------
    AssertionError
        With every check that failed and what it found.
    ConfigError
        No such model or check.
    """
    exempt = {**entry_of(name).exempt, **(exempt or {})}
    settings = load_recipe("tiny" if recipe is None else recipe).override({"model_kind": name})
    trained = not fits_at_once(settings)
    silent = tuple(exempt.pop("gradients", ())) if trained else ()
    case = ModelCase(name, settings, silent)
    wanted = list(MODEL_CHECKS if checks is None else checks)
    for check in [*wanted, *exempt]:
        if check not in MODEL_CHECKS:
            raise ConfigError(f"Unknown check {check!r}.", fix=nearest(check, MODEL_CHECKS))
    failures: dict[str, Exception] = {}
    for check in wanted:
        if check in exempt:
            continue
        try:
            MODEL_CHECKS[check](case)
        except Exception as error:
            failures[check] = error
    if failures:
        listed = "".join(f"\n  {c}: {type(e).__name__}: {e}" for c, e in failures.items())
        text = f"{name} fails {len(failures)} of {len(wanted)} checks:{listed}"
        raise AssertionError(text) from next(iter(failures.values()))
