"""The test hierarchy, made once per test run: keys are the slow part.

`AT` is the moment for which everything is good. Leafs are cached by what was asked.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

from gateway.directory import Trust
from gateway.keys.test_pki import Leaf, TestPki

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

POLITIE = "00000099000000000001"
VEILIG_THUIS = "00000099000000000002"
OM = "00000099000000000003"
KNOOPPUNT = "00000099000000000009"

NAMES = {
    POLITIE: "TEST Politie",
    VEILIG_THUIS: "TEST Veilig Thuis",
    OM: "TEST Openbaar Ministerie",
    KNOOPPUNT: "TEST Knooppunt",
}


@cache
def pki(at: datetime = AT) -> TestPki:
    """Return the hierarchy of that moment, the same object each time: do not revoke in it."""
    return TestPki(at, authority_bits=2048)


@cache
def live() -> TestPki:
    """Return the hierarchy of now, for tests over real TLS."""
    return pki(datetime.now(UTC).replace(minute=0, second=0, microsecond=0))


def trust() -> Trust:
    return pki().trust()


@cache
def leaf(oin: str = POLITIE, usage: str = "tls") -> Leaf:
    """Return a good leaf of `pki()`."""
    return pki().issue(oin=oin, name=NAMES.get(oin, "TEST Partij"), usage=usage)


@cache
def live_leaf(oin: str = POLITIE, usage: str = "tls") -> Leaf:
    """Return a good leaf of `live()`."""
    return live().issue(oin=oin, name=NAMES.get(oin, "TEST Partij"), usage=usage)


@cache
def expired(usage: str = "sign") -> Leaf:
    before, after = AT - timedelta(days=30), AT - timedelta(days=1)
    return pki().issue(
        oin=POLITIE, name="TEST Verlopen", usage=usage, not_before=before, not_after=after
    )


@cache
def not_yet_valid(usage: str = "sign") -> Leaf:
    return pki().issue(
        oin=POLITIE, name="TEST Later", usage=usage, not_before=AT + timedelta(days=1)
    )


@cache
def unknown_issuer(usage: str = "sign") -> Leaf:
    return pki().issue(oin=POLITIE, name="TEST Vreemd", usage=usage, unknown_issuer=True)


@cache
def weak(usage: str = "sign") -> Leaf:
    return pki().issue(oin=POLITIE, name="TEST Zwak", usage=usage, key_bits=1024)


@cache
def revoked(usage: str = "sign") -> tuple[Leaf, Trust]:
    """Return a revoked leaf with the trust that knows it: a hierarchy of its own."""
    own = TestPki(AT, authority_bits=2048)
    found = own.issue(oin=POLITIE, name="TEST Ingetrokken", usage=usage, revoked=True)
    return found, own.trust()


@cache
def ending(usage: str = "sign") -> Leaf:
    """Return a leaf of the police with ten days left."""
    return pki().issue(
        oin=POLITIE, name="TEST Bijna", usage=usage, not_after=AT + timedelta(days=10)
    )


@cache
def nameless(usage: str = "sign") -> Leaf:
    """Return a leaf without an OIN."""
    return pki().issue(oin="", name="TEST Zonder OIN", usage=usage)
