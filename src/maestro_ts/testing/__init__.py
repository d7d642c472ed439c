"""Contract checks and generators that third parties can run on their own models and data."""

from maestro_ts.testing.check_dataset import DATASET_CHECKS, check_dataset
from maestro_ts.testing.check_model import MODEL_CHECKS, check_model
from maestro_ts.testing.expected import EXPECTED_FAILED_CHECKS

__all__ = [
    "DATASET_CHECKS",
    "EXPECTED_FAILED_CHECKS",
    "MODEL_CHECKS",
    "check_dataset",
    "check_model",
]
