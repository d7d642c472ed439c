"""Published data sets from their owners' servers: resumed, checked, there whole or not at all.

Only the addresses on the cards are asked (`Download`), and a redirect is followed only to the same
host or to one that the card names, and never from https to http.
"""

from __future__ import annotations

from maestro_ts.signals.fetch.dataset import Fetched, check_installed, fetch_dataset
from maestro_ts.signals.fetch.transfer import Patience, asked_size

__all__ = ["Fetched", "Patience", "asked_size", "check_installed", "fetch_dataset"]
