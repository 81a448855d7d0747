"""What the deciding commands share: ask the running process, or open the store itself."""

import asyncio
import json
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from yarl import URL

from gateway.app import SystemClock, SystemDice, build, open_store
from gateway.consoles import desk_of
from gateway.errors import GatewayError, Misconfigured, Refused, Unavailable
from gateway.installation import Installation, load_installation
from gateway.store.view import View
from gateway.web.control import KIND, NAME, Command, What
from gateway.web.unix_socket import short

Reden = Annotated[
    str, typer.Option(help="Why; it stands in the audit log. No personal data.", show_default=False)
]
Door = Annotated[str, typer.Option(help="Who decides; left out = the user of this terminal.")]

TIMEOUT = aiohttp.ClientTimeout(total=30)
REFUSED, BUSY = 422, 503
PIPELINE = frozenset({What.AGAIN, What.MAIL, What.ASK, What.PING})
"""What takes more than the store."""


def decide(config: Path, what: What, id_: str, *, reden: str, door: str) -> dict[str, str]:
    """Carry a decision out and return what came of it; raises GatewayError."""
    installation = load_installation(config)
    command = Command(what=what, id=id_, who=door or user(), why=reden)
    return asyncio.run(_decide(installation, command))


def check_decision(what: What, id_: str, *, reden: str, door: str) -> None:
    """Raise PolicyViolation `command.*` for what could not be recorded: before anything is done."""
    Command(what=what, id=id_, who=door or user(), why=reden)


def has_database(installation: Installation) -> bool:
    """Tell whether somebody served from it already; raises StoreUnavailable."""
    try:
        with View(installation.database, SystemClock(), password_file=installation.password_file):
            return True
    except Misconfigured as error:
        if error.code != "store.path":
            raise
        return False


def user() -> str:
    """Return who sits at the terminal, also behind sudo."""
    behind = os.environ.get("SUDO_USER", "")
    try:
        return behind or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


async def _decide(installation: Installation, command: Command) -> dict[str, str]:
    socket = control_socket(installation)
    if socket.exists():
        try:
            path = f"{KIND[command.what]}/{command.id}/{command.what}"
            body = {"door": command.who, "reden": command.why}
            return await ask_process(socket, path, body)
        except aiohttp.ClientConnectorError:
            pass  # nobody listens: the process is gone
    if command.what in PIPELINE:
        async with build(installation) as here:
            return await desk_of(here.store, here.gateway).perform(command)
    store = open_store(installation, SystemClock(), SystemDice())
    try:
        return await desk_of(store).perform(command)
    finally:
        await store.close()


def control_socket(installation: Installation) -> Path:
    """Return where the process that writes to a SQLite database listens."""
    return installation.path(installation.settings.paths.database).parent / NAME


async def ask_process(socket: Path, path: str, order: Mapping[str, Any]) -> dict[str, str]:
    """Have the running process do it; raises what it raised, and ClientConnectorError."""
    body: dict[str, Any] = json.loads(await post(socket, path, json.dumps(dict(order)).encode()))
    return {key: str(value) for key, value in body.items()}


async def post(socket: Path, path: str, body: bytes) -> bytes:
    """Return what the running process answers; raises what it raised, ClientConnectorError."""
    with short(socket) as name:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path=name), timeout=TIMEOUT
            ) as session,
            session.post(URL(f"http://gateway/{path}", encoded=True), data=body) as answer,
        ):
            if answer.ok:
                return await answer.read()
            raise _error(answer.status, await answer.json())


def _error(status: int, body: dict[str, Any]) -> GatewayError:
    kind = {REFUSED: Refused, BUSY: Unavailable}.get(status, GatewayError)
    return kind(str(body.get("code", "control.failed")), str(body.get("tekst", "")))
