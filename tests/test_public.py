from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import maestro_ts

HEAVY = ("torch", "sklearn", "scipy", "pandas", "pyarrow", "plotly")
COMMANDS = (
    *("demo", "datasets", "datasets list", "datasets info", "models"),
    *("prepare", "fit", "evaluate", "predict", "report", "doctor"),
)


def python(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_public_names_are_these() -> None:
    assert maestro_ts.__all__ == [
        "MaestroClassifier",
        "MaestroError",
        "MaestroRegressor",
        "Modality",
        "Recording",
        "StreamClassifier",
        "Windows",
        "__version__",
        "load",
    ]


@pytest.mark.parametrize("name", maestro_ts.__all__)
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(maestro_ts, name) is not None
    assert name in dir(maestro_ts)


def test_a_star_import_brings_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from maestro_ts import *", names)
    assert set(maestro_ts.__all__) <= names.keys()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        maestro_ts.Classifier  # noqa: B018


def test_public_names_are_those_of_their_modules() -> None:
    from maestro_ts.errors import MaestroError
    from maestro_ts.estimator import MaestroClassifier
    from maestro_ts.signals.windows import Windows

    assert maestro_ts.MaestroClassifier is MaestroClassifier
    assert maestro_ts.MaestroError is MaestroError
    assert maestro_ts.Windows is Windows


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert maestro_ts.__version__ == version("maestro-ts")


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(maestro_ts.__file__).parent / "py.typed").is_file()


LOADED = f"; import sys; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert python("import maestro_ts" + LOADED).split() == []


def test_describing_data_does_not_import_torch() -> None:
    code = "from maestro_ts import Modality, Windows, Recording; from maestro_ts import recipe"
    assert "torch" not in python(code + LOADED).split()


def test_the_check_for_heavy_modules_can_fail() -> None:
    assert "sklearn" in python("import sklearn" + LOADED).split()


HELP = """
import contextlib, io, sys
from maestro_ts.cli.main import main
for words in sys.argv[1:]:
    sys.argv = ["maestro-ts", *words.split(), "--help"]
    out, code = io.StringIO(), None
    with contextlib.redirect_stdout(out):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    print(words, code, "Usage: maestro-ts " + words in out.getvalue(), sep="|")
"""


def test_every_command_has_help_and_help_imports_nothing_heavy() -> None:
    *lines, loaded = python(HELP + LOADED[2:], "", *COMMANDS).split("\n")[:-1]
    assert lines == [f"{words}|0|True" for words in ("", *COMMANDS)]
    assert loaded == ""


def test_the_help_lists_every_command() -> None:
    code = "import sys; from maestro_ts.cli.main import main; sys.argv = ['x', '--help']; main()"
    shown = python(code)
    for words in COMMANDS:
        assert f"  {words.split()[0]} " in shown


def test_the_program_is_installed_under_its_name() -> None:
    from importlib.metadata import entry_points

    (found,) = entry_points(group="console_scripts", name="maestro-ts")
    assert found.value == "maestro_ts.cli.main:main"
