"""What is fetched in the owners' layout is what the data set's reader takes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from layout_dsads import dsads_set
from layout_physionet2012 import physionet_set
from layout_ppg_dalia import dalia_pickles
from layout_utd_mhad import utd_set
from layout_wesad import wesad_pickles
from owner_server import Server

from maestro_ts.signals.datasets import DATASETS, card, read
from maestro_ts.signals.fetch import Patience, fetch_dataset


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _wrapped() -> dict[str, bytes]:
    return {"ppg+dalia.zip": zipped({"data.zip": zipped(dalia_pickles()), "readme.pdf": b"%PDF"})}


def _physionet() -> dict[str, bytes]:
    members = physionet_set()
    offered = {n: data for n, data in members.items() if "/" not in n}
    for part in ("set-a", "set-b"):
        stays = {n: data for n, data in members.items() if n.startswith(f"{part}/")}
        offered[f"{part}.zip"] = zipped(stays)
    return offered


def _utd() -> dict[str, bytes]:
    members = utd_set()
    return {
        f"{kind}.zip": zipped({n: data for n, data in members.items() if n.startswith(kind)})
        for kind in ("Inertial", "Skeleton")
    }


OFFERED: dict[str, Callable[[], dict[str, bytes]]] = {
    "dalia-har": _wrapped,
    "dalia-hr": _wrapped,
    "dsads": lambda: {"daily+and+sports+activities.zip": zipped(dsads_set())},
    "dsads-15": lambda: {"daily+and+sports+activities.zip": zipped(dsads_set())},
    "physionet2012": _physionet,
    "physionet2012-los": _physionet,
    "utd-mhad": _utd,
    "wesad": lambda: {"WESAD.zip": zipped(wesad_pickles())},
}


def test_every_set_that_can_be_fetched_is_here() -> None:
    # wesad-e4 reads the archive of wesad, and a table that its owners do not offer.
    assert card("wesad-e4").downloads == card("wesad").downloads
    assert card("wesad-e4-hr").downloads == card("wesad").downloads
    assert {n for n in DATASETS if card(n).downloads} == {*OFFERED, "wesad-e4", "wesad-e4-hr"}


@pytest.mark.parametrize("name", OFFERED)
def test_a_fetched_set_is_read(name: str, server: Server, tmp_path: Path) -> None:
    offered = OFFERED[name]()
    server.files = {f"/{file}": data for file, data in offered.items()}
    about = card(name)
    assert {d.file for d in about.downloads} <= set(offered)
    local = tuple(replace(d, url=server.url(f"/{d.file}")) for d in about.downloads)
    patience = Patience(attempts=1)
    fetched = fetch_dataset(replace(about, downloads=local), tmp_path, patience=patience)
    assert read(name, fetched.path).recordings
