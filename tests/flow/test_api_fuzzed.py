"""The API as it is described, asked everything that a generator makes of the description.

An installation with its real pipeline and store serves on loopback; schemathesis reads the
description from it. Once with ids that it makes up, and once with ids of messages that are there.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.cli.demo.documents import Address, document
from gateway.credentials import BearerToken, Credentials, Scope, SignIn
from gateway.directory import Limits
from gateway.rules.bucket import Pace
from gateway.web.api.app import api_app
from gateway.web.api.limits import FairLimits
from gateway.web.api.office import OFFICE
from tests.flow.test_gate import FREE, hand_in, melding
from tests.flow.town import APPLICATIE, NOW, POLITIE, VT
from tests.outbound.tls_files import serving
from tests.web.doubles import Clock, Counted

TOKEN = "token-van-een-generator"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)
EXAMPLES = 15
LONGEST = timedelta(minutes=3)
"""Of one run on a busy machine; a quiet one takes a tenth of it."""


@pytest.fixture
async def served(town):
    """The access point of the politie, with a message out, one in, and one that is held."""
    token = BearerToken(sha256=sha256(TOKEN.encode()).hexdigest(), scopes=frozenset(Scope))
    credentials = Credentials(ways=frozenset({SignIn.BEARER}), tokens=(token,))
    backend = replace(town[POLITIE].backend, credentials=credentials)
    await town[POLITIE].change(backends=(backend,), limits=Limits(payload_bytes=20_000))
    await hand_in(town, melding())
    await hand_in(town, melding(aanhouding="Ja").replace(b"ref-1", b"ref-2"))
    feedback = document(
        "vtTerugkoppelingDi01",
        zender=Address(oin=VT, applicatie=APPLICATIE[VT]),
        ontvanger=Address(oin=POLITIE, applicatie=APPLICATIE[POLITIE]),
        referentienummer="ref-3",
        zaak="PL0000-2026000001",
        at=NOW,
    )
    await hand_in(town, feedback, FREE, VT)
    await town.settle()
    counted = Counted()
    plenty = Pace(per_minute=1_000_000, burst=1_000_000)
    fair = FairLimits(pace=plenty, failures=plenty)
    app = api_app(town[POLITIE].gateway, clock=Clock(), answered=counted, fair_limits=fair)
    app[OFFICE].closing.set()  # nobody waits in the postvak
    async with serving(app) as url:
        yield url, town, counted


async def known(town, referentienummer):
    view = await town[POLITIE].message(referentienummer)
    assert view is not None
    return view


async def fuzz(url: str, folder: Path, id_: str = "", *options: str) -> None:
    """Run it, with this id in every path; a finding of any check fails."""
    (folder / "schemathesis.toml").write_text(f'parameters = {{ id = "{id_}" }}\n' if id_ else "")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {TOKEN}"),
        *("--checks", ",".join(CHECKS)),
        *("--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"),
        *("--phases", "examples,coverage,fuzzing"),
        *("--warnings", "off"),
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), LONGEST.total_seconds())
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, said.decode()


async def test_no_request_meets_a_failure_or_an_answer_that_is_not_described(served, tmp_path):
    url, _, counted = served

    await fuzz(url, tmp_path)

    statuses = {status for _, status in counted.answers}
    assert {200, 400, 401, 404, 415, 422} <= statuses
    assert 429 not in statuses
    assert not {status for status in statuses if status >= 500}


async def test_neither_does_one_about_a_message_that_is_there(served, tmp_path):
    url, town, counted = served
    delivery = (await known(town, "ref-3")).deliveries[0]

    await fuzz(url, tmp_path, delivery.id, "--include-path-regex", "/postvak/.*")

    assert ("api", 409) in counted.answers
    assert not {status for _, status in counted.answers if status >= 500}


async def test_a_message_that_is_there_is_shown_as_described(served, tmp_path):
    url, town, counted = served
    held = (await known(town, "ref-2")).message

    await fuzz(url, tmp_path, held.id, "--include-path", "/berichten/{id}")

    assert ("api", 200) in counted.answers

    assert not {status for _, status in counted.answers if status >= 500}
