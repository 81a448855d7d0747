"""CPAs, as a partner hands them over, and as they are made here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

from gateway.catalogue import Role
from gateway.config_algorithms import Weakness
from gateway.directory import Party, SyncReply
from gateway.errors import Malformed, Misconfigured
from gateway.message import Oin
from gateway.security import algorithms as a
from gateway.security.agreed import certificates_of
from gateway.security.cpa_lint import lint
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaSpec, make_cpa
from gateway.wire.ebms2.cpa_spec import PROFILES
from tests import pki
from tests.cpas import spec
from tests.fuzz.changes import CANARY
from tests.fuzz.choices import Choices
from tests.fuzz.target import Broken, Target
from tests.fuzz.tree_changes import xml_changed
from tests.smime import on_curve
from tests.weak import allowing


def read_agreement(octets: bytes) -> None:
    """Whatever it is, something can be said of it; a value of it is never said."""
    linted = lint(octets, at=pki.AT)
    lint(octets, at=pki.AT + timedelta(days=364), parties=_parties())
    for remark in linted.remarks:
        if linted.agreement is None and CANARY in str(remark):
            raise Broken("a remark holds a value of what can not be read")
    agreement = read_cpa(octets)
    if linted.agreement != agreement:
        raise Broken("read twice it is another agreement")
    if not agreement.bindings or agreement.start >= agreement.end:
        raise Broken("an agreement on nothing")
    list(certificates_of(agreement))


@cache
def _parties() -> dict[Oin, Party]:
    """Return the police, with every exception there is."""
    police = Party(oin=Oin(pki.POLITIE), name="Politie", role=Role.POLITIE, local=False)
    return {police.oin: allowing(police, *Weakness, until=pki.AT + timedelta(days=400))}


def agreement_seeds() -> Iterator[bytes]:
    for profile in PROFILES:
        yield make_cpa(spec(profile=profile))
    yield make_cpa(spec(sync_reply=SyncReply.SIGNALS, encryption_algorithm=a.AES128_GCM))
    ours, theirs = spec().parties
    bad = {
        "sign": pki.expired().certificate,
        "encrypt": pki.leaf(pki.OM, "encrypt").certificate,
        "client": pki.leaf(pki.POLITIE, "sign").certificate,
    }
    yield make_cpa(spec(parties=(replace(ours, **bad), theirs)))
    curves = replace(ours, sign=on_curve(pki.POLITIE).certificate)
    yield make_cpa(spec(parties=(curves, theirs), signature_algorithm=a.ECDSA_SHA256))
    hosts = tuple(replace(p, endpoint="https://localhost/ebms") for p in (ours, theirs))
    end = pki.AT + timedelta(days=300)
    yield (good := make_cpa(spec(parties=hosts, end=end)))
    changes = (
        *((b"https://localhost/", b"http://localhost:8080/"), (a.RSA_SHA256.encode(), _SHA1)),
        *((a.AES256_GCM.encode(), a.AES256_CBC.encode()), (b">NotGuaranteed<", b">Guaranteed<")),
        *((b":toPartyMSH", b":nextMSH"), (b'"always"', b'"never"'), (b'"always"', b'"perMessage"')),
        *((b'Elimination="always"', b'Elimination="never"'), (b">PT3H<", b">P1Y2M3DT4H5M6.7S<")),
        *((b'version="1.2">TLS', b'version="3.0">SSL'), (b'"agreed"', b'"proposed"')),
        *((b"/ebms<", b"/<"), (b'version="1.1">HTTP', b'version="1.1">SMTP')),
    )
    yield from (good.replace(old, new) for old, new in changes if old in good)


_SHA1 = b"http://www.w3.org/2000/09/xmldsig#rsa-sha1"


Made = Callable[[CpaSpec, Choices], dict[str, object]]

# --- making ---------------------------------------------------------------------------

TEXTS = (
    "",
    "a",
    "cpa 1",
    "cpa_1",
    "<&>\"'",
    "é",
    "a" * 300,
    "x\r\ny",
    "https://x.example/ebms",
    CANARY,
)
LENGTHS = (
    timedelta(0),
    timedelta(seconds=1),
    timedelta(hours=3),
    timedelta(days=4_000),
    -timedelta(1),
)


def make_agreement(octets: bytes) -> None:
    """What is agreed on can be made and read, or is refused at once."""
    wanted = _wanted(Choices(octets))
    made = read_cpa(make_cpa(wanted))
    if (made.cpa_id, made.start, made.end) != (wanted.cpa_id, wanted.start, wanted.end):
        raise Broken("the CPA says something else than was agreed")
    sent = {(b.sender.id, b.service, b.action) for b in made.bindings}
    if sent != {(p.oin, one.service, one.action) for p in wanted.parties for one in p.sends}:
        raise Broken("the CPA is about other messages than were agreed")


def _wanted(choices: Choices) -> CpaSpec:
    base = spec(profile=choices.one(PROFILES[::-1]))
    for _ in choices.times(3):
        base = replace(base, **choices.one(_changes())(base, choices))
    return base


def _of_party(name: str, values: Sequence[object]) -> Made:
    def change(base: CpaSpec, choices: Choices) -> dict[str, object]:
        one, two = base.parties
        return {"parties": (replace(one, **{name: choices.one(values)}), two)}

    return change


def _of_whole(name: str, values: Sequence[object]) -> Made:
    return lambda _base, choices: {name: choices.one(values)}


def _sends(base: CpaSpec, choices: Choices) -> dict[str, object]:
    one, two = base.parties
    sends = tuple(replace(sent, action=choices.one(TEXTS)) for sent in one.sends)
    return {"parties": (replace(one, sends=sends[: choices.number(3)]), two)}


@cache
def _certificates() -> tuple[bytes, ...]:
    leafs = (pki.leaf(pki.POLITIE, "sign"), on_curve(), pki.nameless(), pki.weak())
    return tuple(leaf.certificate for leaf in leafs)


_ALGORITHMS = (a.RSA_SHA512, a.ECDSA_SHA256, a.SHA512, a.SHA1, a.AES128_GCM, a.TRIPLE_DES)

_MOMENTS = tuple(pki.AT + length for length in LENGTHS)


@cache
def _changes() -> tuple[Made, ...]:
    return (
        _of_whole("cpa_id", TEXTS),
        *(_of_whole(name, LENGTHS) for name in ("retry_interval", "persist")),
        *(_of_whole(name, _MOMENTS) for name in ("start", "end")),
        *(_of_whole(f"{name}_algorithm", _ALGORITHMS) for name in ("signature", "digest")),
        *(_of_party(name, TEXTS) for name in ("oin", "name", "role", "endpoint")),
        *(_of_party(name, _certificates()) for name in ("client", "server")),
        *(_of_party(name, (None, *_certificates())) for name in ("sign", "encrypt")),
        _of_whole("encryption_algorithm", _ALGORITHMS),
        _of_whole("retries", (0, 1, 50, -1)),
        _of_whole("sync_reply", tuple(SyncReply)),
        _sends,
    )


TARGETS = (
    Target(
        name="cpa",
        run=read_agreement,
        seeds=agreement_seeds,
        raises=((Malformed, ("xml.", "cpa.")),),
        change=xml_changed,
        share=2,
    ),
    Target(
        name="cpa-made",
        run=make_agreement,
        seeds=lambda: (bytes((n,)) for n in range(len(PROFILES))),
        raises=((Misconfigured, ("cpa.",)),),
    ),
)
