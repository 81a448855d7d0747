"""Where a letter may go: the mail servers of a domain, and what each must show (RFC 7672).

Every answer on the way is validated: MX, addresses, aliases and TLSA. For a partner with a
recorded policy its hosts stand instead of the MX, and only addresses are asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.directory import MailWay, PinnedMail
from gateway.errors import PolicyViolation, TransportUnproved
from gateway.outbound.dns import Answer, Resolver, addresses, certificates, exchangers, texts
from gateway.ports import Clock, Dice
from gateway.security.dane import Tlsa, usable
from gateway.wire.nta7516 import Nta7516, nta7516

MOST_HOSTS = 16
MOST_ADDRESSES = 4
"""Of one host as many are tried."""
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The mail servers of a domain, by name."""

    domain: str
    hosts: tuple[str, ...]
    """In the order in which they are tried."""
    nta7516: str
    """Text of the record, where it was agreed."""

    def same(self, other: "Servers") -> bool:
        """Tell whether the domain still says the same, in whatever order."""
        return (set(self.hosts), self.nta7516) == (set(other.hosts), other.nta7516)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One mail server: where it is, and what its certificate must be."""

    host: str
    addresses: tuple[str, ...]
    base: str
    """Name that its TLSA records stand under, and that is asked for in the handshake (SNI)."""
    names: tuple[str, ...]
    """Names that its certificate may be of, where a name counts."""
    records: tuple[Tlsa, ...]
    """What was published; empty = a recorded policy says it."""


class Routes:
    """Looks up where a letter may go."""

    def __init__(self, resolver: Resolver, *, port: int, clock: Clock, dice: Dice) -> None:
        """Take the port of SMTP, which is part of the names of TLSA records."""
        self._resolver = resolver
        self._port = port
        self._clock = clock
        self._dice = dice

    async def servers(self, domain: str, way: MailWay) -> Servers:
        """Return the mail servers of a domain.

        Raises TransportUnproved `dns.*`, `nta7516.*`; PolicyViolation `mail.domain` for what is
        no domain and `mail.none` for one that takes no mail (RFC 7505).
        """
        if not is_name(domain):
            raise PolicyViolation("mail.domain", "this is not a domain")
        record = await self._nta7516(domain) if way.nta7516 else None
        hosts = await self._hosts(domain, way, record)
        return Servers(domain=domain, hosts=hosts, nta7516="" if record is None else record.text)

    async def _nta7516(self, domain: str) -> Nta7516:
        answer = (await self._resolver.ask(domain, "TXT")).proved()
        return nta7516(texts(answer), self._clock.now().date())

    async def _hosts(self, domain: str, way: MailWay, record: Nta7516 | None) -> tuple[str, ...]:
        if way.pinned is not None:
            return _recorded(way.pinned)
        found = record.hosts if record is not None else ()
        found = found or await self._exchangers(domain)
        if len(found) > MOST_HOSTS or not all(is_name(host) for _, host in found):
            raise TransportUnproved("dns.malformed", f"MX {domain}: too many hosts, or no names")
        return tuple(host for *_, host in sorted((p, self._dice.unit(), h) for p, h in found))

    async def _exchangers(self, domain: str) -> tuple[tuple[int, str], ...]:
        answer = _existing(await self._resolver.ask(domain, "MX")).proved()
        found = tuple(exchangers(answer))
        if any(not host for _, host in found):
            raise PolicyViolation("mail.none", "this domain takes no mail (null MX)")
        return found or ((0, domain),)  # RFC 5321, 5.1: without MX the domain is its own

    async def server(self, host: str, domain: str, way: MailWay) -> Server:
        """Return where one mail server is and what it must show.

        Raises TransportUnproved `dns.*`, `dane.none`, `dane.unusable`.
        """
        found = [_existing(await self._resolver.ask(host, kind)) for kind in ("A", "AAAA")]
        places = tuple(dict.fromkeys(place for answer in found for place in addresses(answer)))
        if not places:
            raise TransportUnproved("dns.no_address", f"{host} has no address")
        if not all(is_name(answer.name) for answer in found):
            raise TransportUnproved("dns.malformed", f"{host} is an alias of what is no host")
        base, records = host, tuple[Tlsa, ...]()
        if way.pinned is None:
            base, records = await self._published([answer.proved() for answer in found], host)
        return Server(
            host=host,
            addresses=places[:MOST_ADDRESSES],
            base=base,
            names=(host,) if way.pinned else tuple(dict.fromkeys((base, host, domain))),
            records=records,
        )

    async def _published(self, found: Sequence[Answer], host: str) -> tuple[str, tuple[Tlsa, ...]]:
        """Return the TLSA records, under the name at the end of the aliases or else the first.

        RFC 7672, 2.2.3.
        """
        answers = [
            (base, await self._resolver.ask(f"_{self._port}._tcp.{base}", "TLSA"))
            for base in dict.fromkeys((*(answer.name for answer in found), host))
        ]
        for base, answer in answers:
            if answer.secure and answer.records:
                return base, usable(certificates(answer))
        for _base, answer in answers:
            answer.proved()
        return host, usable(())


def _recorded(policy: PinnedMail) -> tuple[str, ...]:
    hosts = tuple(host.lower() for host in policy.hosts)
    if not hosts or not all(is_name(host) for host in hosts):
        raise TransportUnproved("dns.name", "a recorded mail server is no host")
    return hosts


def _existing(answer: Answer) -> Answer:
    if not answer.exists:
        raise TransportUnproved("dns.nxdomain", f"{answer.question}: the name does not exist")
    return answer


def is_name(text: str) -> bool:
    """Tell whether it is the name of a host or mail domain: lower case, at least two labels."""
    return _NAME.fullmatch(text) is not None
