import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.crash import hooks
from tests.crash.boundaries import BOUNDARIES

ROOT = Path(__file__).parents[2]
STEPS = {
    "start",
    "receive",
    "admit",
    "acknowledge",
    "claim",
    "send",
    "settle",
    "confirm",
    "mail",
    "letter",
    "destroy",
}


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda b: b.name)
def test_every_boundary_of_the_table_is_in_the_code(boundary):
    _, _, call = hooks.find(boundary.place)

    assert callable(call)


def test_a_boundary_that_the_code_no_longer_has_is_an_error():
    with pytest.raises(AttributeError):
        hooks.find("gateway.store.inbox:SqlInbox.no_longer_there")


def test_the_table_has_every_step_and_no_name_twice():
    names = Counter(b.name for b in BOUNDARIES)

    assert {b.step for b in BOUNDARIES} == STEPS
    assert len(names) == len(BOUNDARIES) >= 30
    assert len({(b.side, b.place, b.which, b.before) for b in BOUNDARIES}) == len(BOUNDARIES)


def test_no_module_of_the_gateway_knows_that_it_can_be_killed():
    knowing = [
        path
        for path in (ROOT / "gateway").rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("SIGKILL", "tests.crash"))
    ]

    assert knowing == []


NTH = """
import gateway.wire.tijd as tijd, sys
from tests.crash import hooks
from tests.crash.boundaries import Boundary, Role
b = Boundary(name="x", step="x", side=sys.argv[1], place="json:loads", roles=(Role.P,))
hooks.BOUNDARIES = (b,)
fuse = hooks.Fuse()
hooks.install(fuse)
fuse.arm("x", 2)
import json
for n in range(5):
    print(json.loads(str(n)), flush=True)
"""


@pytest.mark.parametrize("side", ["before", "after"])
def test_the_process_dies_at_the_nth_pass_and_not_earlier(side):
    command = [sys.executable, "-c", NTH, side]

    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout, done.stderr) == (-9, "0\n", "")
