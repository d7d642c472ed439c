"""Labels and subjects of windows as a user gives them, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from maestro_ts.errors import DataError, nearest
from maestro_ts.signals.windows import Windows

__all__ = ["class_numbers", "labels_of", "subjects_of"]


def labels_of(windows: Windows, y: ArrayLike | None) -> NDArray[Any]:
    """One label per window, of any kind; those that the windows carry unless given."""
    if y is None:
        y = windows.labels
    if y is None:
        raise DataError(
            "requires y to be passed, but the target y is None (and X carries no labels)."
        )
    if isinstance(y, (list, tuple)) and any(_no_label(v) for v in y):
        y = np.array(y, dtype=object)  # numpy would make the text "nan" of a NaN among texts
    labels: NDArray[Any] = column_or_1d(y, warn=True)
    if labels.dtype.kind in "fO":
        lacking = [i for i, v in enumerate(labels) if _no_label(v)]
        if lacking:
            raise DataError(
                f"label {lacking[0]} is {str(labels[lacking[0]])!r}: no label "
                f"({len(lacking)} in all; NaN and None are none).",
                fix="Leave out windows without a label.",
            )
    check_classification_targets(labels)
    if len(labels) != len(windows):
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: "
            f"{len(windows)} windows, {len(labels)} labels."
        )
    if len(labels) < 2:
        raise DataError(f"n_samples={len(labels)}: one window (1 sample) is not enough to fit.")
    return labels


def subjects_of(windows: Windows, groups: ArrayLike | None) -> NDArray[np.str_] | None:
    """Subjects of the windows; None if neither `groups` nor the windows know them."""
    if groups is None:
        return windows.subjects if (windows.subjects != "").any() else None
    found = np.asarray([str(g) for g in np.asarray(groups)])
    if len(found) != len(windows):
        raise DataError(f"{len(windows)} windows but {len(found)} groups.")
    return found


def class_numbers(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Labels as places among the sorted classes of a fitted model; others are refused by name."""
    for label in labels[~np.isin(labels, classes)][:1]:
        raise DataError(
            f"no such class in training: {str(label)!r}.",
            fix=nearest(str(label), map(str, classes)),
        )
    return np.searchsorted(classes, labels).astype(np.int64)


def _no_label(value: Any) -> bool:
    """None, NaN, or pandas' NA, whose comparison has no truth value."""
    try:
        return value is None or bool(np.ndim(value) == 0 and value != value)
    except TypeError:
        return True
