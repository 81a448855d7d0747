"""Exceptions per partner: which forbidden algorithms count for whom, now, and which were used."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from gateway.config_algorithms import Weakness
from gateway.directory import Party
from gateway.security.algorithms import (
    AES128_CBC,
    AES256_CBC,
    DIGIKOPPELING,
    RSA_15,
    RSA_SHA1,
    SHA1,
    TRIPLE_DES,
    AlgorithmPolicy,
)

_ALGORITHMS = MappingProxyType(
    {
        Weakness.RSA15: frozenset({RSA_15}),
        Weakness.CBC: frozenset({AES128_CBC, AES256_CBC}),
        Weakness.TRIPLE_DES: frozenset({TRIPLE_DES}),
        Weakness.SHA1: frozenset({RSA_SHA1, SHA1}),
    }
)


def algorithms_of(what: Weakness) -> frozenset[str]:
    """Return the URIs that an exception is about."""
    return _ALGORITHMS[what]


def excepted(party: Party | None, at: datetime) -> frozenset[Weakness]:
    """Return what the party may use at that moment beside the rules."""
    given = party.exceptions if party is not None else ()
    return frozenset(one.what for one in given if at < one.until)


def policy_for(party: Party | None, at: datetime) -> AlgorithmPolicy:
    """Return what counts for messages of and to the party at that moment."""
    also = frozenset[str]().union(*(_ALGORITHMS[what] for what in excepted(party, at)))
    return replace(
        DIGIKOPPELING,
        signatures=DIGIKOPPELING.signatures | also & {RSA_SHA1},
        digests=DIGIKOPPELING.digests | also & {SHA1},
        ciphers=DIGIKOPPELING.ciphers | also & {AES128_CBC, AES256_CBC, TRIPLE_DES},
        key_transports=DIGIKOPPELING.key_transports | also & {RSA_15},
    )


def weaknesses(algorithms: Iterable[str]) -> frozenset[Weakness]:
    """Return which exceptions these algorithms need; none for what the rules allow."""
    named = frozenset(algorithms)
    return frozenset(what for what, its in _ALGORITHMS.items() if not its.isdisjoint(named))
