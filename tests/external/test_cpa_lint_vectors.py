"""What is found in the CPAs of another implementation, and whether they may be activated."""

import pytest

from gateway.cpa_rules import CpaRule as R
from gateway.security.cpa_lint import lint
from tests import pki

STUB = {R.LONG, R.PREFIX, R.PORT}
"""Twenty years, made-up OINs, ports of a try-out."""
TLS = {R.TLS_VERSION, R.TLS_NO_OIN, R.SELF_SIGNED, R.OUTLIVES}
SIGNING = {R.CERTIFICATE_NO_OIN, R.CERTIFICATE_USAGE, R.CERTIFICATE_EARLY}
PLAIN_ACK = {R.UNSIGNED_ACK, R.RECEIPT}
SIGNED = STUB | TLS | SIGNING
FOUND = {
    "cpa-cv-https.xml": SIGNED
    | PLAIN_ACK
    | {R.AMBIGUOUS, R.SHA1, R.CIPHER, R.MIXED, R.PARTY_TYPE, R.SERVICE_TYPE},
    "cpaStubEBF.be.https.signed.xml": SIGNED | {R.SHA1},
    "cpaStubEBF.rm.http.unsigned.xml": STUB | {R.HTTPS},
    "cpaStubEBF.rm.https.signed-sha256.xml": SIGNED | PLAIN_ACK,
    "cpaStubEBF.rm.https.signed.ackSigned.xml": SIGNED | {R.SHA1, R.PERSIST},
    "cpaStubEBF.rm.https.signed.encrypted.xml": SIGNED | PLAIN_ACK | {R.SHA1, R.CIPHER},
    "cpaStubEBF.rm.https.signed.sync.xml": SIGNED | PLAIN_ACK | {R.SHA1, R.PERSIST, R.SYNC_ANSWER},
}
"""None may be activated: signed ones name certificates without an OIN, the other one plain http."""


def test_every_agreement_of_the_vectors_is_here(vectors):
    assert {path.name for path in (vectors / "cpa").glob("*.xml")} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_findings(vectors, name):
    linted = lint((vectors / "cpa" / name).read_bytes(), at=pki.AT)

    assert {remark.rule for remark in linted.remarks} == FOUND[name]
    assert not linted.may_be_activated


def test_short_persist_duration_is_told_with_what_is_needed(vectors):
    octets = (vectors / "cpa" / "cpaStubEBF.rm.https.signed.sync.xml").read_bytes()
    told = [str(one.line) for one in lint(octets, at=pki.AT).remarks if one.rule is R.PERSIST]

    assert set(told) == {
        "PersistDuration PT25M is korter dan (1 + Retries) x RetryInterval = PT30M."
    }
