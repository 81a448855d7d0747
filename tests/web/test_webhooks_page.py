"""What docs/webhooks.md tells an integrator to run, run."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest
from aiohttp import web

from gateway.security.webhook import read_secret, sign, write_secret
from tests.outbound.tls_files import serving

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
SECRET, OTHER = write_secret(bytes(range(32))), write_secret(bytes(32))
ID, AT, BODY = "msg_1", 1795683600, '{"type":"bericht.status","data":{"id":"é"}}'.encode()


def block(language: str, holding: str) -> str:
    """Return the one block of that language that holds the text."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (one,) = [text for text in found if holding in text]
    return one


@pytest.fixture(scope="module")
def verify():
    names: dict = {}
    exec(block("python", "def verify"), names)
    return names["verify"]


def headers(*secrets: str, at: int = AT) -> dict[str, str]:
    keys = [read_secret(secret, where="") for secret in secrets]
    return {
        "webhook-id": ID,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(keys, id_=ID, at=at, body=BODY),
    }


def test_the_example_takes_what_the_gateway_signs(verify):
    verify(headers(SECRET), BODY, [SECRET], now=AT)
    verify(headers(OTHER, SECRET), BODY, [SECRET], now=AT + 300)
    verify(headers(SECRET), BODY, [OTHER, SECRET], now=AT - 300)


@pytest.mark.parametrize(
    ("given", "body", "secrets", "now"),
    [
        (headers(OTHER), BODY, [SECRET], AT),
        (headers(SECRET), BODY + b" ", [SECRET], AT),
        (headers(SECRET), BODY, [SECRET], AT + 301),
        (headers(SECRET), BODY, [SECRET], AT - 301),
        (headers(SECRET), BODY, [], AT),
        (headers(SECRET) | {"webhook-id": "msg_2"}, BODY, [SECRET], AT),
        (headers(SECRET) | {"webhook-timestamp": str(AT + 1)}, BODY, [SECRET], AT),
        (headers(SECRET) | {"webhook-signature": ""}, BODY, [SECRET], AT),
        (headers(SECRET) | {"webhook-signature": "v1,"}, BODY, [SECRET], AT),
    ],
)
def test_the_example_refuses_what_is_not_from_the_gateway_or_not_of_now(
    verify, given, body, secrets, now
):
    with pytest.raises(ValueError, match=r"too old|no signature"):
        verify(given, body, secrets, now=now)


async def test_the_recipe_for_the_shell_makes_a_call_that_verifies(verify, tmp_path):
    taken = []

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        verify(request.headers, body, [SECRET])
        taken.append(body)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/in", receive)
    async with serving(app) as url:
        done = await asyncio.to_thread(
            subprocess.run,
            ["sh", "-eu", "-c", block("sh", "curl")],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "SECRET": SECRET, "URL": f"{url}/in"},
            capture_output=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, b"")
    assert len(taken) == 1


def test_the_recipe_for_a_secret_makes_one_that_is_read(tmp_path):
    recipe = block("sh", "openssl rand").partition("systemctl")[0]
    subprocess.run(["sh", "-eu", "-c", recipe], cwd=tmp_path, check=True)
    file = tmp_path / "secrets" / "bvh.whsec"

    assert len(read_secret(file.read_text(), where="")) == 32
    assert file.stat().st_mode & 0o777 == 0o600
