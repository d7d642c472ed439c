"""`Monitor`: what a model's sensors were like in training, and whether they still are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import write_bytes
from maestro_ts.errors import ConfigError, RunError
from maestro_ts.evaluation.bounds import learn_bounds, outside
from maestro_ts.evaluation.verdicts import Drift, Verdicts
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.bins import Binned
from maestro_ts.symbols.drift import Reference, counts
from maestro_ts.symbols.signs import signs
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["FORMAT", "Monitor", "monitored"]

FORMAT = 1
ENOUGH = 2**13  # training windows; more are taken evenly
BLOCK = 2**12  # windows whose symbols are counted together


@dataclass(frozen=True)
class Monitor:
    """What sensors are compared with.

    Attributes
    ----------
    bounds : dict of modality name to ndarray (2, C, 4)
        See `bounds.learn_bounds`.
    references : dict of modality name to Reference
    people : int
        Subjects among the training windows.
    """

    bounds: dict[str, NDArray[np.float64]]
    references: dict[str, Reference]
    people: int

    @classmethod
    def learn(
        cls, symbolizer: Symbolizer, windows: Windows, subjects: NDArray[np.str_] | None
    ) -> Monitor:
        """From training windows; without subjects all of them count as one person's."""
        owners = np.zeros(len(windows), dtype="U1") if subjects is None else subjects
        if len(windows) > ENOUGH:
            rows = np.linspace(0, len(windows) - 1, ENOUGH).astype(np.intp)
            windows, owners = windows[rows], owners[rows]
        bounds, references = {}, {}
        for name, binned in symbolizer.bin(windows).items():
            bounds[name] = learn_bounds(_signs(symbolizer, name, binned), owners)
            references[name] = Reference.learn(_counts(symbolizer, name, binned), owners)
        return cls(bounds, references, len(np.unique(owners)))

    def check(self, symbolizer: Symbolizer, windows: Windows) -> Verdicts:
        """Say of every window and sensor whether it is to be believed, and what drifted.

        Drift is told of all windows of a person together.

        Parameters
        ----------
        windows : Windows
            In the model's schema.
        """
        faults = np.zeros((len(windows), len(windows.schema), 4), dtype=bool)
        people, owner = np.unique(windows.subjects, return_inverse=True)
        drifts = []
        for m, (name, binned) in enumerate(symbolizer.bin(windows).items()):
            faults[:, m] = outside(_signs(symbolizer, name, binned), self.bounds[name])
            found = _counts(symbolizer, name, binned)
            for k, person in enumerate(people):
                own = found[owner == k]
                far, limit = self.references[name].drift(own)
                views = symbolizer.views_of(symbolizer.schema_[name])
                drifts += [
                    Drift(str(person), name, view, len(own), float(far[v]), float(limit[v]))
                    for v, view in enumerate(views)
                    if not np.isnan(far[v])
                ]
        return Verdicts.of(windows, faults, drifts, self.people)

    def save(self, path: Path) -> None:
        """Write one safetensors file, atomically."""
        from safetensors.numpy import save

        arrays: dict[str, NDArray[np.generic]] = {"people": np.array([self.people])}
        for name, bounds in self.bounds.items():
            reference = self.references[name]
            arrays[f"{name}/bounds"] = bounds
            arrays[f"{name}/histogram"] = reference.histogram
            arrays[f"{name}/limits"] = reference.limits
        write_bytes(path, save(arrays, {"format": str(FORMAT)}))

    @classmethod
    def load(cls, path: Path) -> Monitor | None:
        """Read it, None where there is no file; a newer format is refused by name."""
        from safetensors import SafetensorError, safe_open

        if not path.exists():
            return None
        try:
            with safe_open(path, "numpy") as file:
                form = int((file.metadata() or {}).get("format", 0))
                if form > FORMAT:
                    raise RunError(
                        f"monitor format {form}, this version reads up to {FORMAT}.",
                        where=str(path),
                        fix="Upgrade maestro-ts.",
                    )
                arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            names = [key.removesuffix("/bounds") for key in arrays if key.endswith("/bounds")]
            return cls(
                {n: arrays[f"{n}/bounds"] for n in names},
                {n: Reference(arrays[f"{n}/histogram"], arrays[f"{n}/limits"]) for n in names},
                int(arrays["people"][0]),
            )
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise RunError(f"damaged: {error!r}.", where=str(path)) from error


def monitored(monitor: Monitor | None) -> Monitor:
    """The monitor of a model that has one.

    Raises
    ------
    ConfigError
        It has none.
    """
    if monitor is None:
        raise ConfigError(
            "this model has no record of what its sensors were like in training: it is older than "
            "such records, or no MAESTRO.",
            fix="Fit it anew: model_kind maestro keeps one.",
        )
    return monitor


def _signs(symbolizer: Symbolizer, name: str, binned: Binned) -> NDArray[np.float64]:
    return signs(binned, symbolizer.statistics_[f"{name}/floor"])


def _counts(symbolizer: Symbolizer, name: str, binned: Binned) -> NDArray[np.int64]:
    alphabet, n = symbolizer.settings.alphabet, len(binned.mean)
    parts = [slice(k, k + BLOCK) for k in range(0, n, BLOCK)]
    return np.concatenate(
        [counts(symbolizer.symbols(name, binned.part(p)).tokens, alphabet) for p in parts]
    )
