"""``maestro-ts models``."""

from __future__ import annotations

__all__ = ["models"]


def models() -> None:
    """List the models and the recipes."""
    from maestro_ts.cli.tables import format_table
    from maestro_ts.contract.registry import models as table
    from maestro_ts.recipe import RECIPES

    rows = [[name, e.summary, e.paper, ", ".join(e.tags)] for name, e in table().items()]
    print(format_table(["model", "what it is", "paper", "tags"], rows))
    print(f"\nRecipes: {', '.join(RECIPES)}, or a YAML file.")
