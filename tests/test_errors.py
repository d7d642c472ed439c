from __future__ import annotations

import copy
import pickle

import pytest

from maestro_ts import errors
from maestro_ts.errors import (
    ConfigError,
    DataError,
    DownloadError,
    FormatError,
    MaestroError,
    MissingExtraError,
    RunError,
    nearest,
)

KINDS = (
    *(MaestroError, DataError, FormatError, ConfigError, RunError, DownloadError),
    MissingExtraError,
)


@pytest.mark.parametrize(
    ("kind", "parents"),
    [
        (DataError, (MaestroError, ValueError)),
        (FormatError, (DataError, MaestroError, ValueError)),
        (ConfigError, (MaestroError, ValueError)),
        (RunError, (MaestroError, OSError)),
        (DownloadError, (MaestroError, OSError)),
        (MissingExtraError, (MaestroError, ImportError)),
    ],
)
def test_every_error_is_of_the_tree_and_of_the_builtin_one_expects(
    kind: type, parents: tuple[type, ...]
) -> None:
    assert issubclass(kind, parents)


def test_unrelated_errors_do_not_catch_each_other() -> None:
    assert not issubclass(ConfigError, DataError)
    assert not issubclass(RunError, ValueError)
    assert not issubclass(DataError, OSError)


def test_every_error_is_exported() -> None:
    assert {kind.__name__ for kind in KINDS} | {"nearest", "shown"} == set(errors.__all__)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_says_where_what_and_what_to_do(kind: type[MaestroError]) -> None:
    error = kind("rate is -1.", where="a.csv, line 3", fix="Give a positive rate.")
    assert str(error) == "a.csv, line 3: rate is -1. Give a positive rate."
    assert (error.what, error.where, error.fix) == (
        *("rate is -1.", "a.csv, line 3", "Give a positive rate."),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_place_and_remedy_may_be_left_out(kind: type[MaestroError]) -> None:
    assert str(kind("rate is -1.")) == "rate is -1."
    assert str(kind("rate is -1.", where="a.csv")) == "a.csv: rate is -1."
    assert str(kind("rate is -1.", fix="Do.")) == "rate is -1. Do."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_errors_survive_the_way_between_processes(kind: type[MaestroError], again: object) -> None:
    error = kind("what", where="where", fix="fix")
    back = again(error)  # type: ignore[operator]
    assert type(back) is kind
    assert (back.what, back.where, back.fix, str(back)) == ("what", "where", "fix", str(error))


def test_a_missing_extra_names_the_line_that_installs_it() -> None:
    error = MissingExtraError.of("seglearn", "demo", "The demo data set")
    assert isinstance(error, ImportError)
    assert str(error) == (
        "The demo data set needs the package 'seglearn', which is not installed. "
        'Install it with: pip install "maestro-ts[demo]"'
    )


def test_near_words_are_proposed() -> None:
    assert nearest("hedas", ["heads", "width", "tokens"]) == "Did you mean 'heads'?"


def test_several_near_words_are_joined_nearest_first() -> None:
    assert nearest("epoch", ["epochs", "epoch_s", "width"]) == "Did you mean 'epochs' or 'epoch_s'?"


def test_no_more_words_are_proposed_than_asked() -> None:
    words = [f"epoch{i}" for i in range(9)]
    assert nearest("epoch", words, n=2).count("'") == 4


def test_all_words_are_listed_when_none_is_near() -> None:
    assert nearest("xyz", ["width", "heads"]) == "Known: heads, width."
