"""Contract checks and generators that third parties can run on their own models and data."""

from maestro_ts.testing.check_dataset import DATASET_CHECKS, check_dataset
from maestro_ts.testing.check_format import FORMAT_CHECKS, Written, check_format
from maestro_ts.testing.check_model import MODEL_CHECKS, check_model
from maestro_ts.testing.expected import EXPECTED_FAILED_CHECKS

__all__ = [
    "DATASET_CHECKS",
    "EXPECTED_FAILED_CHECKS",
    "FORMAT_CHECKS",
    "MODEL_CHECKS",
    "Written",
    "check_dataset",
    "check_format",
    "check_model",
]
