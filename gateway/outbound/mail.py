"""The port `Post`: a letter to the mail servers of a domain, one after the other.

What was looked up counts until the letter leaves: just before it does, it is looked up once
more, and a domain that names other servers or certificates by then gets nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gateway.config_mail import EmailSettings
from gateway.directory import MailWay
from gateway.errors import (
    GatewayError,
    OutcomeUnknown,
    PeerUnreachable,
    Refused,
    TransportUnproved,
    Untrusted,
)
from gateway.outbound.dns import Resolver
from gateway.outbound.mail_letter import one_domain
from gateway.outbound.mail_route import Routes, Server, Servers
from gateway.outbound.smtp import Patience, Session, open_session
from gateway.ports import Clock, Dice
from gateway.ports.mail import (
    Basis,
    Deferred,
    Delivered,
    Leaves,
    Letter,
    NotProved,
    Posted,
    Rejected,
    TransportProof,
    Tried,
    Unknown,
)
from gateway.security.certificates import thumbprint
from gateway.security.dane import Match, Shown, match_dane, match_recorded
from gateway.security.dkim import DkimKey, signed_by

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Errand:
    """One letter, or one look, on its way along the servers of a domain."""

    domain: str
    way: MailWay
    tried: list[Tried] = field(default_factory=list)
    worst: list[GatewayError] = field(default_factory=list)

    def set_aside(self, host: str, address: str, error: GatewayError) -> None:
        """Remember why one server did not do."""
        self.tried.append(Tried(host=host, address=address, code=error.code, seen=error.text))
        self.worst.append(error)

    def outcome(self) -> NotProved | Deferred | Rejected:
        """Return what it all comes to: a proof that failed weighs more than a server that is out.

        Whoever stands in between can make servers unreachable until one is left.
        """
        unproved = [e for e in self.worst if isinstance(e, TransportUnproved | Untrusted)]
        return _as_value((unproved or self.worst)[-1], tuple(self.tried))


def _as_value(error: GatewayError, tried: tuple[Tried, ...]) -> NotProved | Deferred | Rejected:
    match error:
        case TransportUnproved() | Untrusted():
            return NotProved(code=error.code, seen=error.text, tried=tried)
        case Refused():
            return Rejected(code=error.code, seen=error.text, tried=tried)
        case PeerUnreachable():
            return Deferred(code=error.code, seen=error.text, tried=tried)
        case _:
            raise error


class MailClient:
    """The port `Post`."""

    def __init__(
        self, settings: EmailSettings, *, clock: Clock, dice: Dice, dkim: Sequence[DkimKey] = ()
    ) -> None:
        """Take the keys that sign what leaves.

        Raise Misconfigured `email.resolver` for a resolver whose word can not be trusted.
        """
        self._settings = settings
        self._clock = clock
        self._dkim = dkim
        self._routes = Routes(Resolver(settings), port=settings.port, clock=clock, dice=dice)

    async def send(self, letter: Letter, way: MailWay, leaves: Leaves) -> Posted:
        """Prove, then hand over; see the port."""
        try:
            domain = one_domain(letter, most_bytes=self._settings.most_bytes)
        except Refused as error:
            return _as_value(error, ())
        errand = _Errand(domain, way)
        letter = await self._signed(letter)

        async def hand_over(at: "_Proved") -> Posted:
            await at.session.envelope(letter)
            await self._same(at, errand)
            await leaves(at.proof)
            notifies, tried = at.session.notifies, tuple(errand.tried)
            try:
                reply = await at.session.data(letter.octets)
            except OutcomeUnknown as error:
                return Unknown(code=error.code, proof=at.proof, notifies=notifies, tried=tried)
            return Delivered(proof=at.proof, reply=reply, notifies=notifies, tried=tried)

        return await self._along(errand, hand_over)

    async def _signed(self, letter: Letter) -> Letter:
        if not self._dkim:
            return letter
        at = self._clock.now()
        octets = await asyncio.to_thread(signed_by, self._dkim, letter.octets, at)
        return replace(letter, octets=octets)

    async def prove(
        self, domain: str, way: MailWay
    ) -> TransportProof | NotProved | Deferred | Rejected:
        """Prove the transport and say nothing more: what a sending now would meet."""

        async def only_look(at: "_Proved") -> TransportProof:
            return at.proof

        return await self._along(_Errand(domain.lower(), way), only_look)

    async def _along(
        self, errand: _Errand, act: Callable[["_Proved"], Awaitable[T]]
    ) -> T | NotProved | Deferred | Rejected:
        """Act at the first server that is proved; what is refused for good ends it there."""
        try:
            servers = await self._routes.servers(errand.domain, errand.way)
        except (TransportUnproved, Refused) as error:
            return _as_value(error, ())
        for host in servers.hosts:
            try:
                server = await self._routes.server(host, errand.domain, errand.way)
            except TransportUnproved as error:
                errand.set_aside(host, "", error)
                continue
            for address in server.addresses:
                try:
                    return await self._at(address, server, servers, errand.way, act)
                except (TransportUnproved, PeerUnreachable, Untrusted) as error:
                    errand.set_aside(host, address, error)
                except Refused as error:
                    return _as_value(error, tuple(errand.tried))
        return errand.outcome()

    async def _at(
        self,
        address: str,
        server: Server,
        servers: Servers,
        way: MailWay,
        act: Callable[["_Proved"], Awaitable[T]],
    ) -> T:
        now = self._clock.now()

        def judge(chain: tuple[bytes, ...]) -> Match:
            shown = Shown(chain=chain, at=now, names=server.names)
            if way.pinned is None:
                return match_dane(server.records, shown)
            return match_recorded(way.pinned.anchors, way.pinned.keys, shown)

        session = await open_session(
            address,
            port=self._settings.port,
            host=server.base,
            name=self._settings.ehlo,
            judge=judge,
            patience=_patience(self._settings),
        )
        proof = TransportProof(
            at=now,
            domain=servers.domain,
            mx=server.host,
            address=address,
            basis=Basis.DANE if way.pinned is None else Basis.PINNED,
            record=session.match.record,
            name=session.match.name,
            certificate=thumbprint(session.certificate),
            tls=session.tls,
            nta7516=servers.nta7516,
        )
        async with session:
            return await act(_Proved(session, proof, servers, server))

    async def _same(self, at: "_Proved", errand: _Errand) -> None:
        """Look up again what was proved; raise TransportUnproved when it is not the same now."""
        servers = await self._routes.servers(errand.domain, errand.way)
        server = await self._routes.server(at.server.host, errand.domain, errand.way)
        if not servers.same(at.servers) or server.records != at.server.records:
            raise TransportUnproved("mail.changed", "MX or TLSA changed after the proof")


@dataclass(frozen=True, slots=True)
class _Proved:
    """A session, and what it was proved by."""

    session: Session
    proof: TransportProof
    servers: Servers
    server: Server


def _patience(settings: EmailSettings) -> Patience:
    return Patience(
        connect=settings.connect_seconds, reply=settings.reply_seconds, data=settings.data_seconds
    )
