"""The same message by us, by `as4` (PyPI) and by Apache Santuario in Java, turn by turn.

Sign, encrypt and pack; unpack, decrypt, verify and judge by the XSD. Each in one thread, warm, by
its own processor time.
"""

import json
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any

from bench.grown import grown
from bench.measure import Figure, figure_of
from bench.processes import BenchFailed
from bench.schemas import NAME, VERSION
from gateway.directory import Limits
from gateway.installation import load_catalogue, share
from gateway.keys.test_pki import Leaf
from gateway.message import Payload, WireMessage
from gateway.rules import approval
from gateway.security import seal
from gateway.security.certificates import TrustStore
from gateway.security.open import open_message
from gateway.wire.ebms2 import header as wire
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import read_document
from tests import pki
from tests.interop.santuario import Santuario
from tests.sealing import ALICE, BOB, Keys, agreement, header, octets_from

ROOT = Path(__file__).parent.parent
AS4 = ROOT / ".venv-as4" / "bin" / "python"
SIZES = (4_096, 65_536)
BITS = (2048, 3072)
ROUNDS = 7
BATCH_SECONDS = 0.2
WARM_SECONDS = 10
"""Of Java, by its own processor time, for each document."""
EXAMPLE = share("schemas") / VERSION / "examples" / f"{NAME}.xml"
XSD = share("schemas") / VERSION / f"{NAME}.xsd"

Measure = Callable[[str, int], float]
"""What (`seal` or `open`) and how often; gives the seconds of one."""


def figures() -> Iterator[Figure]:
    with ExitStack() as stack:
        java = Santuario.start("java", "-XX:+UseSerialGC")
        stack.callback(java.close)
        as4 = stack.enter_context(_as4())
        for bits in BITS:
            pair = Pair.make(bits)
            for size in SIZES:
                yield from _compared(pair, document(size), java, as4)


def document(size: int) -> bytes:
    """Return a valid melding of about that size, never more."""
    example = EXAMPLE.read_bytes()
    return grown(example, size) if size > len(example) else _shortened(example)


def _shortened(example: bytes) -> bytes:
    """The example is a little more than 4 KB: without its indentation it is a little less."""
    return b"".join(line.strip() for line in example.splitlines())


@dataclass(frozen=True, slots=True)
class Pair:
    """The keys of the sender and of the receiver."""

    bits: int
    sign: Leaf
    encrypt: Leaf
    tls: Leaf

    @classmethod
    def make(cls, bits: int) -> "Pair":
        def issue(oin: str, usage: str) -> Leaf:
            return pki.live().issue(oin=oin, name="TEST Bench", usage=usage, key_bits=bits)

        return cls(bits, issue(ALICE, "sign"), issue(BOB, "encrypt"), issue(ALICE, "tls"))


def _compared(
    pair: Pair, octets: bytes, java: Santuario, as4: Callable[..., float]
) -> Iterator[Figure]:
    name = f"{round(len(octets) / 1024)} KB, RSA-{pair.bits}"
    ours = Ours(pair, octets)
    theirs = _begin_java(java, pair, octets)
    _begin_as4(as4, pair, octets)
    sides: dict[str, Measure] = {
        "ours": ours.measure,
        "as4": lambda what, times: as4(do=what, times=times),
        "Santuario": partial(_measure_java, java),
        "of Santuario": partial(ours.measure_opening, theirs),
    }
    _warm_java(sides["Santuario"])
    rounds = [{side: _both(measure) for side, measure in sides.items()} for _ in range(ROUNDS)]
    yield figure_of(name, [sum(one["ours"]) * 1000 for one in rounds], unit="ms")
    for other, goal in (("as4", 1 / 4), ("Santuario", 1 / 2.5)):
        for n, what in enumerate(("seal", "open")):
            ratios = [one["ours"][n] / one[other][n] for one in rounds]
            yield figure_of(f"- {what}", ratios, unit=f"× {other}")
        ratios = [sum(one["ours"]) / sum(one[other]) for one in rounds]
        yield figure_of("- both", ratios, unit=f"× {other}", goal=goal)
    ratios = [one["of Santuario"][1] / one["Santuario"][1] for one in rounds]
    yield figure_of("- open what Santuario wrote", ratios, unit="× Santuario")


def _both(measure: Measure) -> tuple[float, float]:
    """Return the seconds of sealing one and of opening one."""
    return _batch(measure, "seal"), _batch(measure, "open")


def _batch(measure: Measure, what: str) -> float:
    once = max(measure(what, 3), 1e-5)
    return measure(what, max(3, round(BATCH_SECONDS / once)))


# --- us -------------------------------------------------------------------------------


class Ours:
    """Alice seals for Bob, and Bob opens."""

    def __init__(self, pair: Pair, octets: bytes) -> None:
        base = agreement("osb-rm-e")
        way = base.bindings[0].channel
        way = replace(
            way,
            signing=replace(way.signing, certificate=pair.sign.certificate),
            encryption=replace(way.encryption, certificate=pair.encrypt.certificate),
        )
        binding = replace(base.bindings[0], channel=way)
        now = datetime.now(UTC)
        self._agreed = replace(base, bindings=(binding,))
        self._header = header(self._agreed, timestamp=now, time_to_live=None)
        self._now = now
        self._payload = Payload(content_id="payload-1@alice.example", octets=octets)
        self._released = approval.own(sha256(octets).hexdigest())
        self._keys = Keys(pair.sign, pair.encrypt)
        self._trust = TrustStore(pki.live().trust())
        self._schemas = SchemaSet.load(
            share("schemas"), load_catalogue(share("config") / "catalogue.toml")
        )
        self._random = octets_from()
        self._own = self._seal()

    def _seal(self) -> WireMessage:
        way = self._agreed.bindings[0].channel
        sealed = seal.sign_message(
            self._released,
            self._header,
            (self._payload,),
            channel=way,
            signer=self._keys.signer(way.signing.certificate),
        )
        return seal.encrypt_message(
            sealed.envelope,
            (self._payload,),
            channel=way,
            random=self._random,
            boundary="=_boundary",
        )

    def _open(self, message: WireMessage) -> None:
        limits = Limits()
        claimed = wire.read(message.body, message.content_type, limits=limits)
        opened = open_message(
            claimed,
            self._agreed,
            trust=self._trust,
            keyring=self._keys,
            limits=limits,
            at=self._now,
        )
        found = read_document(opened.payloads[0].octets)
        assert self._schemas.validate(found, version=VERSION) == ()

    def measure(self, what: str, times: int) -> float:
        return _seconds(self._seal if what == "seal" else partial(self._open, self._own), times)

    def measure_opening(self, message: WireMessage, what: str, times: int) -> float:
        """Measure the opening of what another program wrote; nothing for sealing."""
        return _seconds(partial(self._open, message), times) if what == "open" else 1.0


def _seconds(work: Callable[[], object], times: int) -> float:
    start = process_time()
    for _ in range(times):
        work()
    return (process_time() - start) / times


# --- Java -----------------------------------------------------------------------------


def _begin_java(java: Santuario, pair: Pair, octets: bytes) -> WireMessage:
    """Let both parties begin; return the message as Java writes it."""
    own = {"tls": pair.tls, "sign": pair.sign, "encrypt": pair.encrypt}
    for party, oin, partner in (("sender", ALICE, BOB), ("receiver", BOB, ALICE)):
        java.open(party, own, own, pki.live().root)
        java.ask(party, "agree", terms=_terms(oin, partner))
    dialect = {"transport": "oaep-sha256"}
    message = {
        "action": "vtMeldingDi01",
        "messageId": "message-1@alice.example",
        "conversationId": "conversation-1",
        "payloads": [b64encode(octets).decode()],
        "dialect": dialect,
    }
    found = java.ask("sender", "bench", to="receiver", message=message, schema=str(XSD))
    body = bytes(one & 0xFF for one in found["body"])
    return WireMessage(body=body, content_type=found["contentType"])


def _terms(oin: str, partner: str) -> dict[str, Any]:
    binding = agreement("osb-rm-e").bindings[0]
    roles = {ALICE: binding.sender_role, BOB: binding.receiver_role}
    return {
        "oin": oin,
        "role": roles[oin],
        "partner": partner,
        "partnerRole": roles[partner],
        "cpa": "cpa-1",
        "service": binding.service,
        "serviceType": binding.service_type,
        "endpoint": "",
        "reliable": True,
        "signed": True,
        "encrypted": True,
    }


def _measure_java(java: Santuario, what: str, times: int) -> float:
    return java.ask("sender", "measure", what=what, times=times)


def _warm_java(measure: Measure) -> None:
    """Its compiler needs thousands of turns."""
    spent = 0.0
    while spent < WARM_SECONDS:
        spent += 100 * sum(measure(what, 100) for what in ("seal", "open"))


# --- as4 ------------------------------------------------------------------------------


@contextmanager
def _as4() -> Iterator[Callable[..., float]]:
    """Give what asks the process of `as4`."""
    if not AS4.exists():
        raise BenchFailed("as4 is not there: make .venv-as4/.done")
    with subprocess.Popen(
        [AS4, ROOT / "bench" / "as4_side.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ask(**what: Any) -> float:
            process.stdin.write(json.dumps(what) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise BenchFailed("as4 has ended")
            return json.loads(line)["ok"]

        yield ask
        process.stdin.close()


def _begin_as4(ask: Callable[..., float], pair: Pair, octets: bytes) -> None:
    ask(
        do="begin",
        sender=_for_as4(pair.sign),
        receiver=_for_as4(pair.encrypt),
        document=b64encode(octets).decode(),
        schema=str(XSD),
    )


def _for_as4(leaf: Leaf) -> dict[str, str]:
    return {"key": leaf.key.decode(), "certificate": b64encode(leaf.certificate).decode()}
