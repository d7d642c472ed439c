"""Labels and subjects of windows as a user gives them, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from maestro_ts.errors import DataError, nearest
from maestro_ts.signals.windows import Windows

__all__ = ["class_numbers", "indicator_of", "labels_of", "numbers_of", "subjects_of"]


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
    _check_count(windows, len(labels), "labels")
    return labels


def indicator_of(windows: Windows, y: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Which of K labels each window has, (n, K); None if y is no table of zeros and ones."""
    if y is None:
        return None
    given: Any = y
    try:
        table: NDArray[Any] = given.toarray() if issparse(y) else np.asarray(given)
    except ValueError:  # rows of unequal length
        return None
    if table.ndim != 2 or table.shape[1] < 2:
        return None
    if table.dtype.kind not in "biuf" or not np.isin(table, (0, 1)).all():
        raise DataError(
            f"y has shape {table.shape}, and not zeros and ones alone.",
            fix="Give one class a window, (n,), or a table of labels, each 0 or 1.",
        )
    _check_count(windows, len(table), "rows of labels")
    if (table == table[0]).all():
        raise DataError("all windows have the same labels: there is nothing to learn.")
    return table.astype(bool)


def numbers_of(windows: Windows, y: ArrayLike | None) -> NDArray[np.float64]:
    """One finite number per window, (n,); those that the windows carry unless given."""
    if y is None:
        y = windows.labels
    if y is None:
        raise DataError(
            "requires y to be passed, but the target y is None (and X carries no numbers)."
        )
    given: NDArray[Any] = column_or_1d(y, warn=True)
    if np.iscomplexobj(given):
        raise DataError("Complex data not supported: y is one real number a window.")
    try:
        numbers = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"y holds something that is no number: {error}.") from error
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise DataError(
            f"number {wrong[0]} is {numbers[wrong[0]]} ({len(wrong)} in all are NaN, infinity or "
            "None).",
            fix="Leave out windows without a number.",
        )
    _check_count(windows, len(numbers), "numbers")
    return numbers


def _check_count(windows: Windows, n: int, what: str) -> None:
    if n != len(windows):
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: "
            f"{len(windows)} windows, {n} {what}."
        )
    if n < 2:
        raise DataError(f"n_samples={n}: one window (1 sample) is not enough to fit.")


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
            fix=f"{nearest(str(label), map(str, classes))} "
            "If folds left its subjects out of training, use other folds.",
        )
    return np.searchsorted(classes, labels).astype(np.int64)


def _no_label(value: Any) -> bool:
    """None, NaN, or pandas' NA, whose comparison has no truth value."""
    try:
        return value is None or bool(np.ndim(value) == 0 and value != value)
    except TypeError:
        return True
