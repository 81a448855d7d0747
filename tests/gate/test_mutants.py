"""Take any check of the OM gate away, and a test fails."""

import compileall
import os
import py_compile
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gate.mutants import MUTANTS
from tests.spawning import without_gateway

ROOT = Path(__file__).parent.parent.parent
COPIED = ("gateway", "tests")
LINKED = ("config", "schemas", "certs", "pyproject.toml")
HISTORIES = "2000"
"""Enough to notice each of them; what is not broken is played a hundred thousand times."""
A_TEST_FAILED = 1
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "GATE_HISTORIES": HISTORIES,
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
"""Without the plugins that only some tests need: they take longer to load than most tests."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The source and its tests, to be spoiled."""
    folder = tmp_path_factory.mktemp("mutant")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    by_content = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder, quiet=2, invalidation_mode=by_content)
    return folder


def run(tree: Path, tests: str, only: str) -> subprocess.CompletedProcess[str]:
    wanted = f"({only})" if only else ""
    if tests.startswith("tests/store/"):  # one way to run a store is enough
        wanted = " and ".join(filter(None, (wanted, "inline")))
    plugins = ("-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin")
    selected = ("-k", wanted) if wanted else ()
    return subprocess.run(
        without_gateway("-m", "pytest", "-x", "-q", *plugins, *selected, tests),
        cwd=tree,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


IMPORTED = "Gate"
"""What `gateway.rules.approval` has from `gateway.directory`."""
LOADED = """
import os
import sys

import gateway.service
from gateway.rules import approval


def test_all_of_it_is_what_stands_here():
    files = [module.__file__ for name, module in sys.modules.items() if name.startswith("gateway")]
    assert len(files) > 50
    assert [file for file in files if not file.startswith(os.getcwd())] == []
    assert approval.{name}.__module__ == "mutated"
"""


def test_a_mutant_is_what_its_tests_run(tree):
    """Also where others imported from it, and nothing that was loaded before is left."""
    file = tree / "gateway" / "directory.py"
    whole = file.read_text(encoding="utf-8")
    (tree / "tests" / "pure" / "test_loaded.py").write_text(
        LOADED.format(name=IMPORTED), encoding="utf-8"
    )
    file.write_text(f'{whole}\n{IMPORTED}.__module__ = "mutated"\n', encoding="utf-8")
    try:
        done = run(tree, "tests/pure/test_loaded.py", "")
    finally:
        file.write_text(whole, encoding="utf-8")
    without = run(tree, "tests/pure/test_loaded.py", "")

    assert done.returncode == 0, done.stdout
    assert without.returncode == A_TEST_FAILED


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_without_this_check_a_test_fails(tree, mutant):
    file = tree / "gateway" / mutant.file
    whole = file.read_text(encoding="utf-8")
    assert whole.count(mutant.old) == 1, "the check does not stand there once"
    file.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        done = run(tree, mutant.tests, mutant.only)
    finally:
        file.write_text(whole, encoding="utf-8")

    assert done.returncode == A_TEST_FAILED, done.stdout[-2_000:] + done.stderr[-500:]
    assert "ImportError" not in done.stdout
    assert "SyntaxError" not in done.stdout


def test_there_are_enough_of_them():
    assert len(MUTANTS) >= 15
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
