"""The explainer as a real child process: late, dead, fenced off."""

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.explainer import MAX_OCTETS, Explainer
from tests import packs

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas" / "1.0.9" / "vtMeldingDi01.xsd"
MELDING = (ROOT / "tests" / "examples" / "vtMeldingDi01.xml").read_bytes()
WRONG = MELDING.replace(b">jeugdige<", b">GeheimeBuurman<")
PHONE = b"<JZ:telefoonnummer>0880000000</JZ:telefoonnummer>"
SLOW = MELDING.replace(PHONE, PHONE * 18_000)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_child_says_what_the_schema_allows():
    async with Explainer(seconds=20) as explainer:
        (told,) = await explainer.explain(WRONG, SCHEMA)

        assert told.code == "schema.keuzelijst"
        assert "ouder met gezag" in told.remedy
        assert "GeheimeBuurman" not in repr(told)
        assert await explainer.explain(MELDING, SCHEMA) == ()


async def test_another_pack_in_the_same_place_is_not_mixed_with_the_one_before(tmp_path):
    place, away = tmp_path / "jz", tmp_path / "weg"
    entry = place / "vtMeldingDi01.xsd"
    octets = MELDING.replace(b">0880000000<", b">" + b"0" * 90 + b"<")
    packs.folder(place, packs.own())
    async with Explainer(seconds=20) as explainer:
        (strict,) = await explainer.explain(octets, entry)
        place.rename(away)
        packs.folder(place, packs.longer_phone())
        (wider,) = await explainer.explain(octets, entry)

    assert "20" in strict.remedy
    assert "80" in wider.remedy


async def test_questions_at_the_same_time_get_their_own_answers():
    async with Explainer(seconds=20) as explainer:
        answers = await asyncio.gather(
            *(explainer.explain(octets, SCHEMA) for octets in (WRONG, MELDING) * 5)
        )

    assert [len(answer) for answer in answers] == [1, 0] * 5


async def test_child_is_kept_between_questions_and_gone_after_close():
    explainer = Explainer(seconds=20)
    await explainer.warm([SCHEMA])
    first = explainer._child
    assert first is not None

    await explainer.explain(WRONG, SCHEMA)

    assert explainer._child is first
    await explainer.close()
    await explainer.close()
    assert not alive(first.pid)


async def test_late_child_is_killed_and_the_next_question_gets_a_new_one():
    async with Explainer(seconds=0.1) as explainer:
        await explainer.warm([SCHEMA])
        first = explainer._child
        assert first is not None
        began = time.monotonic()

        assert await explainer.explain(SLOW, SCHEMA) == ()

        assert time.monotonic() - began < 2
        assert not alive(first.pid)
        await explainer.warm([SCHEMA])
        explainer._seconds = 20
        assert len(await explainer.explain(WRONG, SCHEMA)) == 1


async def test_caller_that_gives_up_leaves_no_answer_behind():
    async with Explainer(seconds=20) as explainer:
        await explainer.warm([SCHEMA])
        task = asyncio.create_task(explainer.explain(SLOW, SCHEMA))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert len(await explainer.explain(WRONG, SCHEMA)) == 1


async def test_child_that_died_costs_one_answer_at_most():
    async with Explainer(seconds=20) as explainer:
        await explainer.warm([SCHEMA])
        assert explainer._child is not None
        explainer._child.kill()
        await explainer._child.wait()

        first = await explainer.explain(WRONG, SCHEMA)
        second = await explainer.explain(WRONG, SCHEMA)

        assert len(first) <= 1
        assert len(second) == 1


async def test_huge_empty_unreadable_and_unknown_questions_add_nothing():
    async with Explainer(seconds=20) as explainer:
        assert await explainer.explain(b" " * (MAX_OCTETS + 1), SCHEMA) == ()
        assert await explainer.explain(b"", SCHEMA) == ()
        assert explainer._child is None
        assert await explainer.explain(b"<a", SCHEMA) == ()
        assert await explainer.explain(WRONG, SCHEMA.with_name("none.xsd")) == ()
        assert len(await explainer.explain(WRONG, SCHEMA)) == 1


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "f = open('{path}', 'w'); f.write('x'); f.close()",
    ],
)
def test_fenced_process_has_no_network_programs_or_files(attempt, tmp_path):
    path = tmp_path / "out"
    code = f"from gateway.wire.explain import fence; fence(); {attempt.format(path=path)}"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True)

    assert done.returncode != 0
    assert re.search(rb"PermissionError|URLError|File too large|File size limit", done.stderr)
    assert not path.exists() or not path.read_bytes()


async def test_child_inherits_nothing_of_the_environment():
    os.environ["GATEWAY_TEST_SECRET"] = "geheim"
    try:
        async with Explainer(seconds=20) as explainer:
            await explainer.warm([SCHEMA])
            assert explainer._child is not None
            environment = environment_of(explainer._child.pid)
    finally:
        del os.environ["GATEWAY_TEST_SECRET"]

    assert b"geheim" not in environment
