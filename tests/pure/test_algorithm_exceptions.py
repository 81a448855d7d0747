"""What DK-SEC forbids counts for one partner, for a while, and tells nobody which step failed."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from gateway.catalogue import Role
from gateway.config_algorithms import Weakness
from gateway.directory import Encryption, Party
from gateway.errors import GatewayError, PolicyViolation
from gateway.message import Oin, WireMessage
from gateway.security import ciphers, dsig, dsig_plain, xenc
from gateway.security import open as opening
from gateway.security.algorithms import (
    AES128_CBC,
    AES256_CBC,
    AES256_GCM,
    DIGIKOPPELING,
    RSA_15,
    RSA_OAEP_MGF1P,
    RSA_SHA1,
    SHA1,
    SHA256,
    TRIPLE_DES,
)
from gateway.security.open import open_message
from gateway.security.weak import policy_for, weaknesses
from gateway.wire import mime
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2 import signals
from tests.pki import AT, leaf
from tests.sealing import (
    ALICE,
    BOB,
    DOCUMENT,
    LIMITS,
    agreement,
    keys,
    on_the_wire,
    open_wire,
    payload,
    sealed,
    send,
    signing,
    trust,
)
from tests.weak import (
    KEYS,
    allowing,
    block_of,
    encrypted,
    padded,
    part,
    raw_cbc,
    sealed_by,
    signed_again,
    wrapped_by,
)

CID = payload().content_id
PARTY = Party(oin=Oin(ALICE), name="Politie", role=Role.POLITIE, local=False)
EVERYTHING = policy_for(allowing(PARTY, *Weakness), AT)


def bob() -> bytes:
    return leaf(BOB, "encrypt").certificate


def carrying(*parts, profile: str = "osb-rm-e") -> WireMessage:
    envelope = sealed(agreement(profile)).envelope
    return mime.join(envelope, "root@alice.example", parts, boundary="=_b")


def with_cipher(cipher: str, transport: str = RSA_OAEP_MGF1P) -> WireMessage:
    return carrying(encrypted(CID, DOCUMENT, bob(), cipher=cipher, transport=transport))


def with_sha1(*, digests: bool) -> WireMessage:
    envelope = sealed(agreement()).envelope
    key = leaf(ALICE, "sign").key
    old = signed_again(envelope, DOCUMENT, key, by=RSA_SHA1, digests=SHA1 if digests else SHA256)
    (good,) = mime.split(*_wire(send(agreement())), limits=LIMITS)[1]
    return mime.join(old, "root@alice.example", (good,), boundary="=_b")


def _wire(message: WireMessage):
    return message.body, message.content_type


MESSAGES = {
    "RSA-1.5": (Weakness.RSA15, lambda: with_cipher(AES256_GCM, RSA_15), "decryption.algorithm"),
    "AES-128-CBC": (Weakness.CBC, lambda: with_cipher(AES128_CBC), "decryption.algorithm"),
    "AES-256-CBC": (Weakness.CBC, lambda: with_cipher(AES256_CBC), "decryption.algorithm"),
    "3DES": (Weakness.TRIPLE_DES, lambda: with_cipher(TRIPLE_DES), "decryption.algorithm"),
    "SHA-1": (Weakness.SHA1, lambda: with_sha1(digests=True), "signature.algorithm"),
    "SHA-1, value alone": (
        Weakness.SHA1,
        lambda: with_sha1(digests=False),
        "signature.algorithm",
    ),
}


@cache
def sent(name: str) -> WireMessage:
    return MESSAGES[name][1]()


def refused(message: WireMessage, policy, limits=LIMITS) -> GatewayError:
    claimed = wire.read(message.body, message.content_type, limits=limits)
    with pytest.raises(GatewayError) as caught:
        open_message(
            claimed,
            agreement(),
            trust=trust(),
            keyring=keys(),
            limits=limits,
            at=AT,
            policy=policy,
        )
    return caught.value


@pytest.mark.parametrize("name", MESSAGES)
def test_by_its_exception_it_is_read_and_says_so(name):
    what, _, _ = MESSAGES[name]
    policy = policy_for(allowing(PARTY, what), AT)

    opened = open_wire(sent(name), agreement(), policy=policy)

    assert opened.payloads == (payload(),)
    assert opened.weaknesses == {what}


@pytest.mark.parametrize("name", MESSAGES)
def test_without_it_with_another_or_after_its_end_it_is_refused_by_its_code(name):
    what, _, code = MESSAGES[name]
    ends = AT + timedelta(seconds=1)
    lapsing = allowing(PARTY, what, until=ends)
    others = allowing(PARTY, *(set(Weakness) - {what}))

    assert open_wire(sent(name), agreement(), policy=policy_for(lapsing, AT)).weaknesses
    for policy in (
        DIGIKOPPELING,
        policy_for(None, AT),
        policy_for(PARTY, AT),
        policy_for(others, AT),
        policy_for(lapsing, ends),
    ):
        assert refused(sent(name), policy).code == code


def test_a_party_without_exceptions_has_the_rules_and_a_strong_message_uses_none():
    assert policy_for(PARTY, AT) == policy_for(None, AT) == DIGIKOPPELING
    assert weaknesses({AES256_GCM, RSA_OAEP_MGF1P}) == frozenset()
    assert open_wire(send(agreement()), agreement(), policy=EVERYTHING).weaknesses == frozenset()


@pytest.mark.parametrize("cipher", [AES128_CBC, AES256_CBC, TRIPLE_DES])
def test_a_cipher_without_a_tag_counts_only_for_what_is_signed(cipher):
    unsigned = agreement("osb-rm-e", signing=None)
    message = carrying(
        encrypted(CID, DOCUMENT, bob(), cipher=cipher, transport=RSA_OAEP_MGF1P), profile="osb-rm"
    )
    envelope = sealed(unsigned).envelope
    parts = mime.split(*_wire(message), limits=LIMITS)[1]
    bare = mime.join(envelope, "root", parts, boundary="=_b")

    with pytest.raises(GatewayError) as caught:
        open_wire(bare, unsigned, policy=EVERYTHING)
    assert caught.value.code == "decryption.algorithm"


# --- no oracle --------------------------------------------------------------------------


def _changed(octets: bytes, at: int) -> bytes:
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


def _failing(cipher: str, transport: str):
    """Yield messages of which another step fails, each for a reason of its own."""
    key = KEYS[cipher]
    size = len(key)
    for_zeros = sealed_by(cipher, bytes(size), DOCUMENT)
    wrapped = wrapped_by(transport, bob(), key)
    good = sealed_by(cipher, key, DOCUMENT)
    other = RSA_15 if transport == RSA_OAEP_MGF1P else RSA_OAEP_MGF1P
    wraps = {
        "wrapped key changed": _changed(wrapped, -1),
        "wrapped key too short": wrapped[:-1],
        "wrapped key of zeros": bytes(len(wrapped)),
        "wrapped key for another": wrapped_by(transport, leaf(ALICE, "encrypt").certificate, key),
        "wrapped by the other padding": wrapped_by(other, bob(), key),
        "key too long": wrapped_by(transport, bob(), bytes(size + 1)),
        "key too short": wrapped_by(transport, bob(), bytes(size - 1)),
        "no key": wrapped_by(transport, bob(), b""),
        "another key": wrapped_by(transport, bob(), b"\x7f" * size),
    }
    seals = {
        "start changed": _changed(good, 0),
        "middle changed": _changed(good, len(good) // 2),
        "end changed": _changed(good, -1),
        "made for a key of zeros": for_zeros,
        "other content": sealed_by(cipher, key, DOCUMENT.replace(b"co", b"cc")),
        "no content": sealed_by(cipher, key, b""),
    }
    if cipher != AES256_GCM:
        block = block_of(cipher)
        whole = padded(DOCUMENT, block)
        seals |= {
            f"padding of {pad}": raw_cbc(cipher, key, whole[:-1] + bytes([pad]))
            for pad in (0, block + 1, 255)
        }
    for name, value in wraps.items():
        yield name, (value, good)
        yield (
            f"{name}, content for a key of zeros",
            (value, for_zeros),
        )
    for name, value in seals.items():
        if not (cipher == AES256_GCM and name in {"other content", "no content"}):
            yield name, (wrapped, value)


WAYS = {
    "RSA-1.5 with GCM": (AES256_GCM, RSA_15, "decryption.failed"),
    "RSA-1.5 with CBC": (AES256_CBC, RSA_15, "signature.digest"),
    "OAEP with AES-128-CBC": (AES128_CBC, RSA_OAEP_MGF1P, "signature.digest"),
    "OAEP with AES-256-CBC": (AES256_CBC, RSA_OAEP_MGF1P, "signature.digest"),
    "OAEP with 3DES": (TRIPLE_DES, RSA_OAEP_MGF1P, "signature.digest"),
}


class _Work:
    """Counts what is done with keys, cipher texts and what comes out."""

    def __init__(self, monkeypatch):
        self.done = Counter()
        self.certificate = bob()
        self._real = keys().decrypter(bob())
        for module, name in (
            (ciphers, "AESGCM"),
            (ciphers, "Cipher"),
            (dsig, "digest"),
            (dsig_plain, "digest"),
            (dsig, "verify_value"),
            (dsig_plain, "verify_value"),
            (opening, "decrypt_part"),
        ):
            monkeypatch.setattr(module, name, self._counted(name, getattr(module, name)))

    def _counted(self, name, real):
        def call(*given, **named):
            self.done[name] += 1
            return real(*given, **named)

        return call

    def decrypter(self, certificate):
        assert certificate == self.certificate
        return self

    def unwrap(self, wrapped, *, oaep, size):
        self.done["unwrap"] += 1
        return self._real.unwrap(wrapped, oaep=oaep, size=size)

    def open(self, message: WireMessage, limits=LIMITS) -> tuple[tuple, dict]:
        """Return all that a peer can learn of the refusal, and the work that was done."""
        self.done.clear()
        claimed = wire.read(message.body, message.content_type, limits=limits)
        with pytest.raises(GatewayError) as caught:
            open_message(
                claimed,
                agreement(),
                trust=trust(),
                keyring=self,
                limits=limits,
                at=AT,
                policy=EVERYTHING,
            )
        error = caught.value
        told = (error.code, str(error), error.where, signals.ebms_error(error))
        return told, dict(self.done)


@pytest.mark.parametrize("way", WAYS)
def test_whichever_step_fails_answer_and_work_are_the_same(monkeypatch, way):
    """Operations are counted: of time only the machine could tell."""
    cipher, transport, code = WAYS[way]
    counting = _Work(monkeypatch)
    seen = {
        name: counting.open(
            carrying(part(CID, cipher=cipher, transport=transport, wrapped=wrapped, sealed=value))
        )
        for name, (wrapped, value) in _failing(cipher, transport)
    }

    first = seen["wrapped key changed"]
    assert first[0][0] == code
    assert first[1]["unwrap"] == 1
    assert first[1]["AESGCM" if cipher == AES256_GCM else "Cipher"] == 1
    for name, found in seen.items():
        assert found == first, name


def test_octets_that_nobody_signed_are_not_measured():
    """Whether they fit would tell whether their padding was taken off."""
    small = replace(LIMITS, payload_bytes=len(DOCUMENT))
    key, block = KEYS[AES256_CBC], block_of(AES256_CBC)
    whole = padded(DOCUMENT, block)
    codes = {
        refused(
            carrying(
                part(
                    CID,
                    cipher=AES256_CBC,
                    transport=RSA_OAEP_MGF1P,
                    wrapped=wrapped_by(RSA_OAEP_MGF1P, bob(), key),
                    sealed=raw_cbc(AES256_CBC, key, changed),
                )
            ),
            EVERYTHING,
            small,
        ).code
        for changed in (whole[:-1] + b"\0", whole[:-1] + bytes([block]), b"\1" * 10 * len(whole))
    }

    assert codes == {"signature.digest"}


@pytest.mark.parametrize("cipher", [AES128_CBC, AES256_CBC, TRIPLE_DES])
def test_cipher_text_of_no_whole_blocks_touches_no_key(monkeypatch, cipher):
    counting, block = _Work(monkeypatch), block_of(cipher)

    for length in (0, block, 2 * block - 1, 2 * block + 1):
        bad = part(CID, cipher=cipher, transport=RSA_15, wrapped=bytes(256), sealed=bytes(length))
        told, work = counting.open(carrying(bad))
        assert told[0] == "decryption.failed"
        assert "unwrap" not in work


# --- what leaves --------------------------------------------------------------------------


def agreed(cipher: str, key_transport: str = ""):
    how = Encryption(algorithm=cipher, certificate=bob(), key_transport=key_transport)
    return agreement(encryption=how)


@pytest.mark.parametrize("cipher", [AES128_CBC, AES256_CBC])
def test_cbc_leaves_by_exception_only_and_its_key_by_oaep(cipher):
    ours = agreed(cipher)
    envelope = sealed(ours).envelope

    message = on_the_wire(ours, envelope, policy=policy_for(allowing(PARTY, Weakness.CBC), AT))

    opened = open_wire(message, ours, policy=EVERYTHING)
    assert (opened.payloads, opened.weaknesses) == ((payload(),), {Weakness.CBC})
    for policy in (DIGIKOPPELING, policy_for(allowing(PARTY, Weakness.RSA15), AT)):
        with pytest.raises(PolicyViolation) as caught:
            on_the_wire(ours, envelope, policy=policy)
        assert caught.value.code == "encryption.algorithm"


def test_a_key_leaves_by_rsa15_only_where_the_agreement_leaves_nothing_else():
    named, silent = agreed(AES256_GCM, RSA_15), agreed(AES256_GCM)
    envelope = sealed(named).envelope
    may = policy_for(allowing(PARTY, Weakness.RSA15), AT)

    def by(ours, policy):
        message = on_the_wire(ours, envelope, policy=policy)
        return open_wire(message, ours, policy=EVERYTHING).weaknesses

    assert by(named, may) == {Weakness.RSA15}
    assert by(silent, may) == by(named, DIGIKOPPELING) == by(silent, DIGIKOPPELING) == frozenset()
    assert xenc.made_transport(named.bindings[0].channel.encryption, may) == RSA_15


def test_3des_never_leaves():
    ours = agreed(TRIPLE_DES)

    with pytest.raises(PolicyViolation) as caught:
        on_the_wire(ours, sealed(ours).envelope, policy=EVERYTHING)
    assert caught.value.code == "encryption.algorithm"


@pytest.mark.parametrize(
    "changes",
    [
        {"signature_algorithm": RSA_SHA1},
        {"digest_algorithm": SHA1},
    ],
)
def test_sha1_never_leaves(changes):
    """No exception reaches the code that signs: it has the rules alone."""
    with pytest.raises(PolicyViolation) as caught:
        sealed(agreement(signing=signing(**changes)))
    assert caught.value.code == "signature.algorithm"


def test_cbc_does_not_leave_unsigned():
    ours = agreement(signing=None, encryption=agreed(AES256_CBC).bindings[0].channel.encryption)

    with pytest.raises(PolicyViolation) as caught:
        on_the_wire(ours, sealed(ours).envelope, policy=EVERYTHING)
    assert caught.value.code == "encryption.algorithm"
