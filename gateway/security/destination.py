"""Where a back-end may be called: the URL, and every address that its name stands for.

The URL comes from the settings, the address from a name server that is not ours. So the
form of the URL is strict enough that no two readers of it can differ, a number is an
address only in its canonical form, and what is judged is the address that is connected to.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

from gateway.errors import Misconfigured, PolicyViolation

Address = IPv4Address | IPv6Address

LONGEST = 2_048
"""Characters of a URL."""
LONGEST_HOST = 253
PORTS = {"https": 443, "http": 80}
WIDEST = {4: 8, 6: 7}
"""Shortest prefix of a network that can be allowed: "everything" is nobody's network."""

_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<authority>[^/?#\\]*)(?P<rest>(/[!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?)"
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(:(?P<port>[1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.100.100.200/32",  # metadata of a cloud, in shared address space
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "192.0.0.0/24",  # IETF protocol assignments, and the metadata of another cloud
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "64:ff9b::/96",  # NAT64: an IPv4 address in disguise
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fd00:ec2::254/128",  # metadata of a cloud
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
"""Called by nobody, whatever is allowed."""
_COMPATIBLE = IPv6Network("::/96")
_LOOPBACK = IPv6Address("::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A URL that has one meaning only."""

    scheme: str
    host: str
    """Lower case; an address without brackets, in its canonical form."""
    port: int
    rest: str
    """Path and query."""
    literal: Address | None
    """The host, where it is an address."""

    @property
    def url(self) -> str:
        """Return the URL again, its parts as they were judged."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.rest or '/'}"


def read_url(text: str) -> Destination:
    """Return the parts of an http or https URL.

    Raises PolicyViolation `webhook.url` (form, length, fragment), `webhook.scheme`,
    `webhook.userinfo`, `webhook.host` (a name that is none, or a number in disguise).
    """
    found = _URL.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise PolicyViolation("webhook.url", "Dit is geen volledige URL in ASCII zonder fragment.")
    scheme, authority = found["scheme"], found["authority"]
    if scheme not in PORTS:
        raise PolicyViolation("webhook.scheme", "Alleen https is mogelijk.")
    if "@" in authority:
        raise PolicyViolation("webhook.userinfo", "In de URL mag geen gebruiker of wachtwoord.")
    parts = _AUTHORITY.fullmatch(authority)
    port = int((parts and parts["port"]) or PORTS[scheme])
    if parts is None or port > 65_535:  # noqa: PLR2004 - the highest port there is
        raise PolicyViolation("webhook.url", "Host of poort in de URL is niet te lezen.")
    host, literal = _host(parts["host"].lower())
    return Destination(scheme=scheme, host=host, port=port, rest=found["rest"], literal=literal)


def _host(text: str) -> tuple[str, Address | None]:
    """Return a name, or an address in the form that everybody reads alike."""
    bare = text.removeprefix("[").removesuffix("]")
    last = bare.rpartition(".")[2]
    if bare != text or _NUMBER.fullmatch(last):
        try:
            address = ip_address(bare)
        except ValueError:
            address = None
        if address is None or (address.version == 6) is not (bare != text):  # noqa: PLR2004
            raise PolicyViolation("webhook.host", "De host is geen naam en geen gewoon IP-adres.")
        return str(address), address
    labels = bare.split(".")
    if len(bare) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise PolicyViolation("webhook.host", "De host is geen naam en geen gewoon IP-adres.")
    return bare, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What may be called; empty = nothing."""

    networks: tuple[tuple[int, int, int], ...] = ()
    """Version, first and last address as numbers."""
    hosts: frozenset[tuple[str, int]] = frozenset()
    """Name or address, and port."""
    unsafe_http_loopback: bool = False
    """Plain http, to this machine only: for tests."""

    @classmethod
    def read(cls, entries: Iterable[str], *, unsafe_http_loopback: bool = False) -> Self:
        """Read `host:port`, `[address]:port` and CIDR; raise Misconfigured `webhook.allowed`."""
        networks, hosts = [], set()
        for entry in entries:
            if "/" in entry:
                networks.append(_network(entry))
            else:
                hosts.add(_entry(entry))
        return cls(
            networks=tuple(networks),
            hosts=frozenset(hosts),
            unsafe_http_loopback=unsafe_http_loopback,
        )

    def judge(self, to: Destination, address: Address) -> None:
        """Return when the destination may be called at this address.

        A network allows its addresses under any name. A name with its port allows public
        addresses; an address with its port allows itself. Raises PolicyViolation
        `webhook.scheme`, `webhook.address` for what is never called, or not by its name
        alone, and `webhook.not_allowed` for what nobody allowed.
        """
        plain = unmapped(address)
        if to.scheme != "https" and not (self.unsafe_http_loopback and plain.is_loopback):
            raise PolicyViolation("webhook.scheme", "Alleen https is mogelijk.")
        if _never(plain):
            raise PolicyViolation("webhook.address", "Dit adres wordt nooit aangeroepen.")
        if self._within(plain):
            return
        if (to.host, to.port) not in self.hosts:
            raise PolicyViolation(
                "webhook.not_allowed", "Dit adres staat niet in webhooks.toegestaan."
            )
        if to.literal is None and not plain.is_global:
            raise PolicyViolation(
                "webhook.address", "Deze naam wijst naar een adres dat niet openbaar is."
            )

    def never(self, to: Destination) -> str:
        """Return the code of why it is called at no address whatever; empty = it may be called.

        What a name points to is not looked up: where a network is allowed, any name may be of it.
        """
        if to.literal is None:
            known = bool(self.networks) or (to.host, to.port) in self.hosts
            return "" if known else "webhook.not_allowed"
        try:
            self.judge(to, to.literal)
        except PolicyViolation as error:
            return error.code
        return ""

    def _within(self, address: Address) -> bool:
        number = int(address)
        return any(
            version == address.version and first <= number <= last
            for version, first, last in self.networks
        )


def unmapped(address: Address) -> Address:
    """Return the IPv4 address of one that is mapped into IPv6."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _never(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return True
    if address in _COMPATIBLE and address != _LOOPBACK:
        return True
    return any(address in network for network in _NEVER)


def _network(entry: str) -> tuple[int, int, int]:
    try:
        network = ip_network(entry)
    except ValueError:
        raise _unreadable() from None
    if network.prefixlen < WIDEST[network.version]:
        raise Misconfigured(
            "webhook.allowed", "Dit netwerk is te groot.", where="webhooks.toegestaan"
        )
    return network.version, int(network[0]), int(network[-1])


def _entry(entry: str) -> tuple[str, int]:
    parts = _AUTHORITY.fullmatch(entry)
    if parts is None or parts["port"] is None:
        raise _unreadable()
    try:
        host, _ = _host(parts["host"].lower())
    except PolicyViolation:
        raise _unreadable() from None
    return host, int(parts["port"])


def _unreadable() -> Misconfigured:
    return Misconfigured(
        "webhook.allowed", "Geef host:poort of een netwerk (CIDR).", where="webhooks.toegestaan"
    )
