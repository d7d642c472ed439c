"""Every code block of the documentation runs, or says why not, and then its commands exist."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from doc_blocks import PAGES, ROOT, Block, blocks_of
from doc_study import SCHEMA, names, write_study

from maestro_ts import recipe
from maestro_ts.cli.main import app, main

ALL = [block for page in PAGES for block in blocks_of(page)]
# Blocks that ask for data or time which a test does not have: one more needs a reason here, too.
NOT_RUN = {
    "README.md": 1,  # archives of public sets
    "experiments.md": 2,  # the same
    "rivals.md": 2,
    "scaling.md": 1,  # an extra that dev lacks
    "service.md": 2,  # the demo, and a running service
    "streaming.md": 2,  # live sensors, a broker
    "start.md": 2,  # the demo takes two minutes; the service
    "usage.md": 1,
}
RUN_ELSEWHERE = {"your-data.md": "tests/cli/test_own_data.py"}
FIRST_RUN = ["maestro-ts", "fit", "my-study", "--out", "runs/mine"]  # once for all pages
SHORTER = {
    "fit": ["--overwrite"],
    "pretrain": ["--overwrite"],
    "cost": ["--rounds", "1", "--batch", "2"],
}
LONG = {"usage.md"}  # every command there is, in half a minute; make test-all
AFTERWARDS = {"README.md": "(clf.predict({'acc': acc}) == y).mean() > 0.9"}


def id_of(block: Block) -> str:
    return f"{block.page.name}:{block.line}"


def run_command(words: list[str]) -> None:
    """The program in this process; what takes minutes is done in its shortest form."""
    program, name, *rest = words
    if name == "init":  # whoever had a schema would not ask for a draft, and fills in what it asks
        (Path(rest[0]) / "schema.yaml").unlink()
    before, sys.argv = sys.argv, [program, name, *rest, *SHORTER.get(name, [])]
    code: object = None
    try:
        main()
    except SystemExit as stop:
        code = stop.code
    finally:
        sys.argv = before
    assert code in (0, None), f"{' '.join(words)}: exit code {code}"
    if name == "init":
        (Path(rest[0]) / "schema.yaml").write_text(SCHEMA)


@pytest.fixture(scope="session")
def quick_recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recipes of which `default` is as small as `tiny` and shorter."""
    folder = tmp_path_factory.mktemp("package") / "recipes"
    shutil.copytree(Path(recipe.__file__).parent / "recipes", folder)
    tiny = (folder / "tiny.yaml").read_text()
    (folder / "default.yaml").write_text(
        tiny.replace("epochs: 30", "epochs: 2, validation_share: 0")
    )
    return folder.parent


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, quick_recipes: Path) -> Path:
    """A folder with a study, files that came later, and a run; copy it before use."""
    folder = tmp_path_factory.mktemp("desk")
    write_study(folder / "my-study")
    write_study(folder / "new-files", ("S99",), labels=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "resources", SimpleNamespace(files=lambda _: quick_recipes))
        patch.chdir(folder)
        run_command(FIRST_RUN)
    return folder


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(p, marks=[pytest.mark.slow] if p.name in LONG else [], id=p.name)
        for p in PAGES
        if p.name not in RUN_ELSEWHERE
    ],
)
def test_the_blocks_of_a_page_run_one_after_the_other(
    page: Path, desk: Path, quick_recipes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [b for b in blocks_of(page) if b.reason is None]
    here = shutil.copytree(desk, tmp_path / "desk")
    monkeypatch.chdir(here)
    monkeypatch.setattr(recipe, "resources", SimpleNamespace(files=lambda _: quick_recipes))
    for block in blocks:
        if block.language == "yaml" and block.code.startswith("unit:"):
            (here / "costs.yaml").write_text(block.code)
    known = names()
    for block in blocks:
        if block.language == "python":
            code = "\n" * block.line + block.code  # so that a traceback names the page's line
            exec(compile(code, str(page), "exec"), known)
        elif block.language == "sh":
            for words in block.commands:
                if words[0] == "maestro-ts" and words != FIRST_RUN:
                    run_command(words)
    assert eval(AFTERWARDS.get(page.name, "True"), known)


def test_blocks_that_do_not_run_are_counted() -> None:
    assert Counter(b.page.name for b in ALL if b.reason is not None) == NOT_RUN
    assert all((ROOT / place).is_file() for place in RUN_ELSEWHERE.values())


def test_every_mark_stands_before_a_block() -> None:
    for page in PAGES:
        marks = re.findall(r"^<!-- not run", page.read_text("utf-8"), flags=re.M)
        assert len(marks) == sum(b.reason is not None for b in blocks_of(page)), page.name


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "python"], ids=id_of)
def test_python_compiles(block: Block) -> None:
    compile(block.code, id_of(block), "exec")


def test_python_is_called_by_one_name() -> None:
    """A block in another name would not be run."""
    assert not [id_of(b) for b in ALL if b.language in ("py", "pycon", "python3", "bash", "shell")]


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "sh"], ids=id_of)
def test_commands_and_their_options_exist(block: Block) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    for program, *words in block.commands:
        if program == "maestro-ts":
            parse(words)
        elif program == "make":
            assert set(words) <= set(targets)
        elif program == "pip":
            (named,) = re.findall(r"\[(.*?)\]", " ".join(words))
            assert set(named.split(",")) <= set(extras["optional-dependencies"])
        else:
            assert program == "export", f"{program} is no program that a page may show"


def parse(words: list[str]) -> None:
    """Words against the real command line, without running anything."""
    command = typer.main.get_command(app)
    context = command.make_context("maestro-ts", list(words), resilient_parsing=False)
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, list(rest), parent=context)


@pytest.mark.parametrize(
    "words", [["fit", "x", "--no-such-option"], ["fitt", "x"], ["datasets", "fitch", "x"]]
)
def test_what_does_not_exist_is_found(words: list[str]) -> None:
    with pytest.raises(Exception, match=words[-1] if "--" in words[-1] else "No such command"):
        parse(words)
