"""``maestro-ts datasets fetch NAME``: a published set from its owners, after its licence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_ts.cli.options import FOLDER_VARIABLE, Plain

if TYPE_CHECKING:
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.signals.datasets.card import Card
    from maestro_ts.signals.fetch import Fetched

__all__ = ["fetch"]

MB = 10**6


def fetch(
    name: Annotated[str, typer.Argument(help="Name from the list.")],
    to: Annotated[
        Path, typer.Option(envvar=FOLDER_VARIABLE, help="Folder in which NAME.zip will lie.")
    ] = Path("."),
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You have read the licence: do not ask.")
    ] = False,
    no_progress: Plain = False,
) -> None:
    """Download a data set from its owners; an interrupted download goes on."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.signals.datasets import card
    from maestro_ts.signals.datasets.local import find_data
    from maestro_ts.signals.fetch import check_installed, fetch_dataset

    c = card(name)
    here = find_data(c, to)
    if not c.downloads:
        _print_steps(c, here)
        return
    if not here:
        check_installed()
        _print_terms(c, to)
        _accept(c, accept_licence)
    with ConsoleProgress(no_progress) as progress:
        fetched = fetch_dataset(c, to, _in_megabytes(progress))
    _print_fetched(c, fetched)


def _print_steps(c: Card, here: str) -> None:
    """What only a person can do."""
    if here:
        print(f"{c.name} is here already: {here}.")
    print(f"{c.name} is not downloaded by this command. How to get it:\n")
    print(f"  {c.how_to_get}")
    if c.page:
        print(f"  Owners' page: {c.page}")
    print(f"  Licence: {c.licence}")


def _print_terms(c: Card, to: Path) -> None:
    from maestro_ts.signals.fetch import asked_size

    print(f"{c.name}: {c.title}\n")
    print(f"  Licence: {c.licence}")
    print(f"  Cite: {c.citation}")
    print(f"  Owners' page: {c.page}")
    for d in c.downloads:
        size = d.bytes or asked_size(d)
        stated = f"{size / MB:,.1f} MB" if size else "size not stated by the server"
        checked = f"SHA-256 {d.sha256}" if d.sha256 else "no checksum published"
        print(f"  {d.file}: {stated}, {checked}, from {d.url}")
    print(f"  To: {to / f'{c.name}.zip'}\n", flush=True)


def _accept(c: Card, accepted: bool) -> None:
    from maestro_ts.errors import ConfigError

    if accepted:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            f"the licence of {c.name} is not accepted.",
            fix=f"Read {c.page or 'it'}, then add --accept-licence.",
        )
    typer.confirm("Do you accept the licence?", abort=True)


def _in_megabytes(progress: ConsoleProgress) -> Callable[[str, int, int | None], None]:
    said: dict[str, int] = {}

    def tell(file: str, done: int, total: int | None) -> None:
        """Once per megabyte, and at the end."""
        if done // MB == said.get(file) and done != total:
            return
        said[file] = done // MB
        whole = None if total is None else max(-(-total // MB), 1)
        progress.update(f"{file} (MB)", whole or 0 if done == total else done // MB, whole)

    return tell


def _print_fetched(c: Card, fetched: Fetched) -> None:
    from maestro_ts.signals.datasets import DATASETS, card

    print(f"{fetched.path}" if fetched.new else f"{fetched.path} is here already.")
    for file, digest in fetched.sha256.items():
        print(f"  SHA-256 of {file}: {digest}")
    if fetched.new and any(d.sha256 is None for d in c.downloads):
        print(
            f"  The owners publish no checksum: this one is kept in {fetched.record}, and a later "
            "fetch compares."
        )
    users = [n for n in DATASETS if card(n).downloads == c.downloads]
    print(f"\nUse it with: --data {fetched.path} (for {', '.join(users)})")
