"""The paper's values for the data sets that it has in common with ours.

Mohapatra et al., NeurIPS 2025, arXiv 2509.25278: Table 2 (everything present) and Tables 11 to 14
(whole modalities missing at test time), accuracy and macro-F1. Its splits are not published in
full, so a value stands beside ours as a mark, not as a like-for-like comparison.
"""

from __future__ import annotations

from typing import Any

__all__ = ["PAPER_NAMES", "published"]

# Ours → the paper's name. WESAD's wrist band alone (wesad-e4) is another data set.
PAPER_NAMES = {
    "wesad": "WESAD",
    "maestro-zenodo": "WESAD",
    "dalia-har": "DaliaHAR",
    "maestro-zenodo-daliahar": "DaliaHAR",
    "dsads": "DSADS",
    "mimic3-multibench": "MIMIC-III",
}

_COLUMNS = ("WESAD", "DaliaHAR", "DSADS", "MIMIC-III")
# Table 2: accuracy, macro-F1 per column.
_FULL = {
    "InceptionTime": (0.59, 0.51, 0.73, 0.68, 0.81, 0.81, 0.74, 0.29),
    "Transformer": (0.63, 0.53, 0.76, 0.71, 0.83, 0.83, 0.78, 0.22),
    "ResNet1D": (0.52, 0.44, 0.73, 0.69, 0.79, 0.78, 0.77, 0.18),
    "iTransformer": (0.67, 0.53, 0.69, 0.66, 0.62, 0.61, 0.77, 0.14),
    "LRTF": (0.52, 0.30, 0.48, 0.19, 0.72, 0.70, 0.77, 0.15),
    "Ensemble": (0.69, 0.57, 0.74, 0.71, 0.59, 0.57, 0.78, 0.27),
    "FuseMoE": (0.47, 0.41, 0.79, 0.79, 0.85, 0.85, 0.75, 0.27),
    "FlexMoE": (0.71, 0.63, 0.70, 0.70, 0.70, 0.68, 0.79, 0.27),
    "MULT": (0.60, 0.42, 0.72, 0.72, 0.66, 0.65, 0.79, 0.21),
    "ShaSpec": (0.62, 0.51, 0.75, 0.78, 0.82, 0.81, 0.74, 0.24),
    "MAESTRO without SAX": (0.69, 0.55, 0.82, 0.84, 0.78, 0.77, 0.79, 0.30),
    "MAESTRO": (0.77, 0.66, 0.83, 0.84, 0.88, 0.88, 0.78, 0.30),
}
# Tables 11 to 14: accuracy and macro-F1 with 0, 10, 20, 30 and 40 % missing (DSADS's last column is
# headed 50 % in the paper, where its text speaks of 40 %).
RATES = (0.0, 0.1, 0.2, 0.3, 0.4)
_MISSING = {
    "WESAD": {
        "Transformer (adapted)": ((0.67, 0.63, 0.62, 0.61, 0.61), (0.53, 0.45, 0.49, 0.48, 0.46)),
        "FlexMoE": ((0.71, 0.68, 0.65, 0.62, 0.59), (0.64, 0.61, 0.58, 0.56, 0.52)),
        "FuseMoE": ((0.48, 0.46, 0.45, 0.41, 0.39), (0.40, 0.41, 0.40, 0.38, 0.37)),
        "ShaSpec": ((0.65, 0.55, 0.53, 0.48, 0.43), (0.54, 0.49, 0.47, 0.44, 0.41)),
        "MAESTRO without SAX": ((0.69, 0.68, 0.67, 0.65, 0.66), (0.55, 0.54, 0.53, 0.52, 0.53)),
        "MAESTRO": ((0.77, 0.77, 0.74, 0.74, 0.71), (0.66, 0.68, 0.54, 0.64, 0.61)),
    },
    "DaliaHAR": {
        "Transformer (adapted)": ((0.72, 0.69, 0.67, 0.64, 0.61), (0.70, 0.67, 0.65, 0.62, 0.59)),
        "FlexMoE": ((0.70, 0.63, 0.53, 0.45, 0.37), (0.70, 0.61, 0.51, 0.43, 0.35)),
        "FuseMoE": ((0.78, 0.67, 0.58, 0.48, 0.40), (0.79, 0.68, 0.58, 0.46, 0.36)),
        "ShaSpec": ((0.74, 0.64, 0.55, 0.48, 0.44), (0.77, 0.67, 0.57, 0.47, 0.39)),
        "MAESTRO without SAX": ((0.82, 0.80, 0.77, 0.73, 0.71), (0.84, 0.83, 0.79, 0.76, 0.73)),
        "MAESTRO": ((0.83, 0.83, 0.81, 0.78, 0.74), (0.84, 0.85, 0.82, 0.79, 0.75)),
    },
    "DSADS": {
        "Transformer (adapted)": ((0.88, 0.78, 0.74, 0.71, 0.66), (0.88, 0.77, 0.73, 0.70, 0.68)),
        "FlexMoE": ((0.67, 0.46, 0.35, 0.25, 0.19), (0.63, 0.44, 0.34, 0.23, 0.17)),
        "FuseMoE": ((0.84, 0.59, 0.46, 0.43, 0.37), (0.85, 0.61, 0.46, 0.44, 0.38)),
        "ShaSpec": ((0.81, 0.58, 0.45, 0.29, 0.22), (0.79, 0.58, 0.45, 0.27, 0.20)),
        "MAESTRO without SAX": ((0.78, 0.79, 0.76, 0.72, 0.66), (0.77, 0.77, 0.75, 0.71, 0.65)),
        "MAESTRO": ((0.89, 0.86, 0.84, 0.83, 0.79), (0.88, 0.86, 0.84, 0.82, 0.79)),
    },
    "MIMIC-III": {
        "Transformer (adapted)": ((0.78, 0.78, 0.78, 0.77, 0.77), (0.22, 0.21, 0.22, 0.22, 0.21)),
        "FlexMoE": ((0.79, 0.78, 0.79, 0.78, 0.78), (0.27, 0.25, 0.25, 0.24, 0.21)),
        "FuseMoE": ((0.76, 0.75, 0.73, 0.72, 0.72), (0.26, 0.27, 0.23, 0.23, 0.22)),
        "ShaSpec": ((0.76, 0.74, 0.74, 0.74, 0.70), (0.25, 0.25, 0.23, 0.20, 0.21)),
        "MAESTRO without SAX": ((0.80, 0.80, 0.77, 0.79, 0.77), (0.31, 0.31, 0.28, 0.27, 0.26)),
        "MAESTRO": ((0.79, 0.78, 0.76, 0.78, 0.77), (0.30, 0.30, 0.29, 0.27, 0.25)),
    },
}


def published(dataset: str) -> dict[str, Any]:
    """What the paper has for a data set of ours.

    Returns
    -------
    dict with the paper's name of it (None: it is another data set), ``full`` and ``missing``: rows
    of model, rate, accuracy and macro-F1.
    """
    name = PAPER_NAMES.get(dataset)
    if name is None:
        return {"dataset": None, "full": [], "missing": []}
    at = 2 * _COLUMNS.index(name)
    full = [
        {"model": model, "rate": 0.0, "accuracy": values[at], "macro_f1": values[at + 1]}
        for model, values in _FULL.items()
    ]
    missing = [
        {"model": model, "rate": rate, "accuracy": right, "macro_f1": f1}
        for model, (accuracies, f1s) in _MISSING[name].items()
        for rate, right, f1 in zip(RATES, accuracies, f1s, strict=True)
    ]
    return {"dataset": name, "full": full, "missing": missing}
