"""What a person decides, taken in by the process that writes: JSON over a Unix socket.

With SQLite one process has the database, so the command line asks it. The socket stands
beside the database with mode 0600; only root and the process's own user are answered.
"""

import json
import os
import re
import socket
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import structlog
from aiohttp import web

from gateway.errors import GatewayError, Misconfigured, PolicyViolation, Refused, Unavailable
from gateway.message import Oin
from gateway.pipeline.accounts.keeping import Keeping
from gateway.pipeline.accounts.orders import Ask, carry_out, read_order
from gateway.pipeline.desk import Deciding
from gateway.pipeline.enquiring import Heard
from gateway.pipeline.receipt import Receipt
from gateway.pipeline.switching import Switched
from gateway.ports import (
    Agreed,
    Alarms,
    Confirmations,
    Decisions,
    Pauses,
    Renewal,
    Renewals,
    Shelving,
    Webhooks,
)
from gateway.web import unix_socket
from gateway.web.toets_control import add_toets

log = structlog.get_logger("gateway.control")

NAME = "control.sock"
MOST_BODY = 65_536
GRACE = timedelta(seconds=2)
"""How long a stop waits for a decision under way."""
WHO, WHY = 64, 200
"""Characters at most."""
_CREDENTIALS = struct.Struct("3i")


class What(StrEnum):
    """The commands; each is also the end of its path."""

    RESUME = "hervat"
    STOP = "staak"
    AGAIN = "opnieuw"
    MAIL = "email"
    ASK = "navraag"
    DISMISS = "af"
    LOOK_AT = "kijkt"
    LET_GO = "los"
    PAUSE = "stil"
    GO_ON = "verder"
    PING = "ping"
    RENEW = "vernieuwd"
    RESHELVED = "gewijzigd"
    ENABLE = "inschakelen"
    CONFIRMED = "bevestigd"
    SIGNED = "ondertekend"
    AGREED = "afgesproken"


KIND: Mapping[What, str] = MappingProxyType(
    {
        What.RESUME: "berichten",
        What.STOP: "berichten",
        What.AGAIN: "berichten",
        What.MAIL: "berichten",
        What.ASK: "berichten",
        What.DISMISS: "alarmen",
        What.LOOK_AT: "alarmen",
        What.LET_GO: "alarmen",
        What.PAUSE: "partners",
        What.GO_ON: "partners",
        What.PING: "partners",
        What.RENEW: "certificaten",
        What.RESHELVED: "schemas",
        What.ENABLE: "webhooks",
        What.CONFIRMED: "toetsing",
        What.SIGNED: "toetsing",
        What.AGREED: "overeenkomsten",
    }
)
"""What each command is about: the beginning of its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One decision. Raises PolicyViolation `command.*` for what no person can have meant."""

    what: What
    id: str
    """Of a delivery or a message; the number of an alarm; `USE:SHA256` of a certificate; the name
    of a pack or a webhook; the SHA-256 of a confirmation; an `agreed_id`."""
    who: str
    why: str

    def __post_init__(self) -> None:
        """Keep audit rows short and readable."""
        for name, value, most in (("door", self.who, WHO), ("reden", self.why, WHY)):
            if not value.strip() or len(value) > most or not value.isprintable():
                raise PolicyViolation(
                    f"command.{name}", f"Geef --{name} met 1 tot {most} leesbare tekens."
                )


class Sending(Protocol):
    """Takes in once more what a receiver refused, lets go by e-mail what can not wait, asks."""

    async def send_again(self, message: str, *, who: str, why: str) -> Receipt:
        """Raise Refused `opnieuw.*` or what a hand-in raises; Unavailable."""
        ...

    async def switch_to_mail(self, id_: str, *, who: str, why: str) -> Switched:
        """Raise NoRoute `bericht.onvindbaar`, PolicyViolation `mail.*`; Unavailable."""
        ...

    async def ask_status(self, id_: str, *, who: str) -> Heard:
        """Raise NoRoute `bericht.onvindbaar`, PolicyViolation `navraag.*`; Unavailable."""
        ...

    async def ping(self, party: Oin, *, who: str) -> Heard:
        """Raise NoRoute `partner.*`; Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Carries commands out; with or without a socket before it."""

    decisions: Decisions
    pauses: Pauses
    alarms: Alarms
    renewals: Renewals
    shelving: Shelving
    webhooks: Webhooks
    confirmations: Confirmations
    sending: Sending | None = None
    """It takes the whole pipeline; None = only the store is here, nothing is sent again."""

    async def perform(self, command: Command) -> dict[str, str]:
        """Return what came of it. Raises Refused or Unavailable."""
        ways = {
            "berichten": self._delivery,
            "alarmen": self._alarm,
            "partners": self._pause,
            "certificaten": self._renewed,
            "schemas": self._reshelved,
            "webhooks": self._enable,
            "overeenkomsten": self._placed,
            "toetsing": self._confirmed,
        }
        return await ways[KIND[command.what]](command)

    async def _delivery(self, command: Command) -> dict[str, str]:
        if command.what is What.AGAIN:
            return await self._again(command)
        if command.what is What.MAIL:
            return await self._mail(command)
        if command.what is What.ASK:
            return _heard(await self._pipeline().ask_status(command.id, who=command.who))
        do = self.decisions.resume if command.what is What.RESUME else self.decisions.stop
        decided = await do(command.id, who=command.who, why=command.why)
        return {
            "levering": decided.delivery,
            "bericht": decided.message,
            "status": str(decided.state),
        }

    async def _mail(self, command: Command) -> dict[str, str]:
        switched = await self._pipeline().switch_to_mail(
            command.id, who=command.who, why=command.why
        )
        return {
            "bericht": switched.message,
            "levering": switched.letter,
            "oorzaak": switched.cause,
            "dubbel": "mogelijk" if switched.twice else "nee",
        }

    def _pipeline(self) -> Sending:
        if self.sending is None:
            raise PolicyViolation("command.body", "Deze opdracht bestaat hier niet.")
        return self.sending

    async def _again(self, command: Command) -> dict[str, str]:
        receipt = await self._pipeline().send_again(command.id, who=command.who, why=command.why)
        held = "vastgehouden" if receipt.held else "onderweg"
        return {
            "bericht": receipt.id,
            "referentienummer": receipt.referentienummer,
            "status": held,
        }

    async def _renewed(self, command: Command) -> dict[str, str]:
        renewal = _renewal(command.id)
        await self.renewals.imported(renewal, who=command.who, why=command.why)
        return {"certificaat": renewal.sha256, "gebruik": renewal.use}

    async def _reshelved(self, command: Command) -> dict[str, str]:
        await self.shelving.changed(command.id, who=command.who, why=command.why)
        return {"pakket": command.id}

    async def _alarm(self, command: Command) -> dict[str, str]:
        number = int(command.id) if command.id.isdecimal() else 0
        do = {
            What.DISMISS: self.alarms.dismiss,
            What.LOOK_AT: self.alarms.take,
            What.LET_GO: self.alarms.let_go,
        }[command.what]
        alarm = await do(number, who=command.who, why=command.why)
        return {"alarm": str(alarm.id), "code": alarm.code}

    async def _pause(self, command: Command) -> dict[str, str]:
        if re.fullmatch(r"[0-9]{20}", command.id) is None:
            raise PolicyViolation("command.body", "Dit is geen OIN.")
        if command.what is What.PING:
            return _heard(await self._pipeline().ping(Oin(command.id), who=command.who))
        do = self.pauses.hold if command.what is What.PAUSE else self.pauses.go_on
        await do(Oin(command.id), who=command.who, why=command.why)
        return {"partij": command.id}

    async def _enable(self, command: Command) -> dict[str, str]:
        """Raise PolicyViolation `webhook.enabled` for one that is not disabled."""
        if not await self.webhooks.enable(command.id, who=command.who, why=command.why):
            raise PolicyViolation("webhook.enabled", "Deze webhook is niet uitgeschakeld.")
        return {"webhook": command.id}

    async def _placed(self, command: Command) -> dict[str, str]:
        agreed = _agreed(command.id)
        await self.renewals.agreed(agreed, who=command.who, why=command.why)
        return {"overeenkomst": agreed.cpa_id, "sha256": agreed.sha256}

    async def _confirmed(self, command: Command) -> dict[str, str]:
        sha256 = _sha256(command.id)
        placed = command.what is What.CONFIRMED
        tell = self.confirmations.placed if placed else self.confirmations.signed
        await tell(sha256, who=command.who, why=command.why)
        return {"bevestiging": sha256}


def _heard(heard: Heard) -> dict[str, str]:
    """Return what a partner answered; `antwoord` is empty where he gave none."""
    at = heard.answered.received_at if heard.answered is not None else None
    return {
        "partij": heard.party,
        "antwoord": heard.word,
        "ontvangen": at.isoformat() if at is not None else "",
        "code": heard.code,
        "milliseconden": str(round(heard.seconds * 1_000)),
    }


def _sha256(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", text) is None:
        raise PolicyViolation("command.body", "Dit is geen bevestiging.")
    return text


def _renewal(text: str) -> Renewal:
    found = re.fullmatch(r"([a-z]{1,32}):([0-9a-f]{64})", text)
    if found is None:
        raise PolicyViolation("command.body", "Dit is geen certificaat.")
    return Renewal(use=found[1], sha256=found[2])


def agreed_id(cpa_id: str, sha256: str) -> str:
    """Return how a command names an agreement; a CPAId may hold what no path can."""
    return f"{sha256}:{urlsafe_b64encode(cpa_id.encode()).decode()}"


def _agreed(text: str) -> Agreed:
    digest, _, name = text.partition(":")
    try:
        return Agreed(cpa_id=urlsafe_b64decode(name).decode(), sha256=_sha256(digest))
    except ValueError as error:
        raise PolicyViolation("command.body", "Dit is geen overeenkomst.") from error


Accounts = Callable[[], Keeping]
"""Gives the accounts of the console; where there is no key yet, it is made then."""


# --- the socket -----------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Control:
    """The open socket."""

    path: Path
    _runner: web.AppRunner

    async def close(self) -> None:
        """Answer what is under way, close, and take the socket away."""
        await self._runner.cleanup()
        self.path.unlink(missing_ok=True)


async def open_control(
    desk: Desk,
    folder: Path,
    *,
    users: frozenset[int] | None = None,
    accounts: Accounts | None = None,
    deciding: Deciding | None = None,
) -> Control:
    """Listen in `folder`; the caller has the database for itself.

    `users` are the uids that are answered: root and our own unless given. Raises
    Misconfigured `control.socket` when the socket can not be made.
    """
    allowed = frozenset({0, os.geteuid()}) if users is None else users
    runner = web.AppRunner(
        control_app(desk, allowed, accounts, deciding),
        handle_signals=False,
        access_log=None,
        shutdown_timeout=GRACE.total_seconds(),
    )
    await runner.setup()
    path = folder / NAME
    try:
        await web.SockSite(runner, unix_socket.bind(path)).start()
    except OSError as error:
        await runner.cleanup()
        raise Misconfigured(
            "control.socket", "De besturingssocket kan niet worden gemaakt.", where=str(path)
        ) from error
    return Control(path=path, _runner=runner)


def control_app(
    desk: Desk,
    users: frozenset[int],
    accounts: Accounts | None = None,
    deciding: Deciding | None = None,
) -> web.Application:
    """Return the commands, for the users who may give them."""
    app = web.Application(middlewares=[_only(users), _errors], client_max_size=MOST_BODY)

    async def take(request: web.Request) -> web.Response:
        done = await desk.perform(await _command(request))
        log.info("control.done", what=request.match_info["what"], **done)
        return web.json_response(done)

    kinds, words = "|".join(sorted({*KIND.values()})), "|".join(What)
    app.router.add_post(f"/{{kind:{kinds}}}/{{id}}/{{what:{words}}}", take)
    if accounts is not None:
        asks = "|".join(Ask)
        app.router.add_post(f"/gebruikers/{{ask:{asks}}}", partial(_account, accounts))
    if deciding is not None:
        add_toets(app, deciding)
    return app


async def _account(accounts: Accounts, request: web.Request) -> web.Response:
    try:
        body: Any = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise PolicyViolation("command.body", "Het verzoek is geen opdracht.")
    order = read_order(Ask(request.match_info["ask"]), body)
    done = await carry_out(accounts(), order)
    log.info("control.account", what=str(order.ask))
    return web.json_response(done)


async def _command(request: web.Request) -> Command:
    try:
        body: Any = json.loads(await request.text())
        given = body["door"], body["reden"]
    except (ValueError, TypeError, KeyError) as error:
        raise PolicyViolation("command.body", "Het verzoek is geen opdracht.") from error
    who, why = (value if isinstance(value, str) else "" for value in given)
    what = What(request.match_info["what"])
    if request.match_info["kind"] != KIND[what]:
        raise PolicyViolation("command.body", "Deze opdracht bestaat hier niet.")
    return Command(what=what, id=request.match_info["id"], who=who, why=why)


def _only(users: frozenset[int]) -> Any:
    """The kernel says who is at the other end."""

    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:
        transport = request.transport
        peer = transport.get_extra_info("socket") if transport is not None else None
        if peer is None or _uid(peer) not in users:
            log.warning("control.refused")
            return _problem(HTTPStatus.FORBIDDEN, "control.uid", "Deze gebruiker mag dit niet.")
        response: web.StreamResponse = await handler(request)
        return response

    return check


def _uid(peer: socket.socket) -> int:
    octets = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(octets)
    return int(uid)


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except Refused as error:
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, error.text)
    except Unavailable as error:
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, error.code, error.text)
    except GatewayError as error:
        log.error("control.failed", code=error.code)
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, error.code, "Interne fout.")
    return response


def _problem(status: HTTPStatus, code: str, text: str) -> web.Response:
    return web.json_response({"code": code, "tekst": text}, status=status)
