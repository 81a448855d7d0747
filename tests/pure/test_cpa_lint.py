"""Every rule of the table has a CPA that breaks it, and only what breaks it is told."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from lxml import etree

from gateway.catalogue import Role
from gateway.config_algorithms import Weakness
from gateway.cpa_rules import CpaRule, Weight
from gateway.directory import Party
from gateway.security.algorithms import AES256_GCM, RSA_15, SHA1, SHA256, TRIPLE_DES
from gateway.security.cpa_lint import SOON, all_remarks, lint
from gateway.security.smime.der import oid
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaAction, make_cpa
from gateway.wire.ebms2.cpa_tree import cpp
from tests import pki
from tests.cpas import SERVICE, spec
from tests.weak import allowing

END = pki.AT + timedelta(days=300)
"""Before that of the certificates."""
HOST = "localhost"


def sound(**changes):
    """Return what nothing can be said of: the names in the certificates are those called."""
    plain = spec(end=END)
    called = tuple(replace(p, endpoint=f"https://{HOST}/ebms") for p in plain.parties)
    return replace(plain, **{"parties": called, **changes})


GOOD = make_cpa(sound())


def changed(old, new, times=0, cpa=GOOD):
    """Replace by regular expression, and be sure that something was there."""
    text, count = re.subn(old, new, cpa.decode(), count=times)
    assert count
    return text.encode()


def without(name, cpa=GOOD):
    root = etree.fromstring(cpa)
    found = root.findall(f".//{cpp(name)}")
    assert found
    for element in found:
        element.getparent().remove(element)
    return etree.tostring(root)


def made(**changes):
    return make_cpa(sound(**changes))


def with_certificate(usage, der):
    """Return it with another certificate of the police."""
    police, other = sound().parties
    return made(parties=(replace(police, **{usage: der}), other))


def misspelled():
    """Return a certificate whose signature is said to have an unused bit."""
    octets = bytearray(pki.leaf(pki.POLITIE, "sign").certificate)
    signature = x509.load_der_x509_certificate(bytes(octets)).signature
    octets[-len(signature) - 1] = 1
    octets[-1] &= 0xFE
    return bytes(octets)


def unknown_key():
    """Return a certificate whose key is of a kind that nobody knows."""
    octets = pki.leaf(pki.POLITIE, "sign").certificate
    rsa = oid("1.2.840.113549.1.1.1")
    assert octets.count(rsa) == 1
    return octets.replace(rsa, oid("1.2.840.113549.1.1.99"))


def sends(*actions):
    police, other = sound().parties
    return made(parties=(replace(police, sends=actions), other))


def of_profile(profile, **changes):
    return made(profile=profile, **changes)


def unsigned_signals():
    root = etree.fromstring(made(profile="osb-rm-s"))
    for exchange in root.iter(cpp("DocExchange")):
        for binding in exchange.findall(cpp("ebXMLSenderBinding")):
            found = binding.find(cpp("SenderNonRepudiation"))
            if found is not None:
                binding.remove(found)
    for asked in root.iter(cpp("BusinessTransactionCharacteristics")):
        for name in ("isNonRepudiationRequired", "isAuthenticated", "isTamperProof"):
            asked.attrib.pop(cpp(name))
    return etree.tostring(root)


def offering_rsa15():
    root = etree.fromstring(GOOD)
    for element in list(root.iter(cpp("EncryptionAlgorithm"))):
        more = etree.Element(cpp("EncryptionAlgorithm"))
        more.text = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
        element.addnext(more)
    return etree.tostring(root)


def two_roles():
    root = etree.fromstring(sends(action("vtMeldingDi01"), action("Bv01Bericht", "TEST:b:1")))
    roles = root.findall(f"{cpp('PartyInfo')}[1]/{cpp('CollaborationRole')}/{cpp('Role')}")
    roles[-1].set(cpp("name"), "melder")
    return etree.tostring(root)


def action(name, service=SERVICE, kind="urn:osb:services"):
    return CpaAction(service=service, action=name, service_type=kind)


R = CpaRule
CASES = {
    R.UNREADABLE: lambda: b"<geen-cpa/>",
    R.NOT_AGREED: lambda: changed('value="agreed"', 'value="proposed"'),
    R.ENDED: lambda: made(start=pki.AT - timedelta(days=9), end=pki.AT),
    R.ENDS_SOON: lambda: made(end=pki.AT + SOON - timedelta(seconds=1)),
    R.LONG: lambda: made(end=pki.AT + timedelta(days=3654)),
    R.NOTHING_SENT: lambda: without("CanReceive", without("OtherPartyActionBinding")),
    R.MIXED: lambda: changed('ackRequested="always"', 'ackRequested="never"', 1),
    R.ID: lambda: changed('cpaid="[^"]*"', 'cpaid="a/b c"'),
    R.PARTY_TYPE: lambda: changed("urn:osb:oin", "urn:oin"),
    R.PARTY_ID: lambda: changed(f">{pki.POLITIE}<", ">politie<"),
    R.PREFIX: lambda: changed(f">{pki.POLITIE}<", ">00000005000000000001<"),
    R.ENVIRONMENTS: lambda: changed(f">{pki.POLITIE}<", f">{pki.POLITIE}_T<"),
    R.ROLES: two_roles,
    R.ONE_SIDED: lambda: without("CanReceive", without("OtherPartyActionBinding")),
    R.AMBIGUOUS: lambda: sends(action("a"), action("a", kind="urn:andere")),
    R.WHITE_SPACE: lambda: changed(">TEST:jeugdzorg:1.0.9<", ">TEST jeugdzorg<"),
    R.SERVICE_TYPE: lambda: sends(action("a", kind="urn:andere")),
    R.HTTPS: lambda: changed("https://localhost", "http://localhost"),
    R.PORT: lambda: changed("https://localhost", "https://localhost:8443"),
    R.HOST: lambda: changed("https://localhost", "https://elders.example"),
    R.SYNC_ANSWER: lambda: changed('syncReplyMode="none"', 'syncReplyMode="responseOnly"'),
    R.SYNC_BEST_EFFORT: lambda: changed(
        'syncReplyMode="none"', 'syncReplyMode="mshSignalsOnly"', cpa=of_profile("osb-be")
    ),
    R.BEST_EFFORT_ONCE: lambda: changed(
        'duplicateElimination="never"', 'duplicateElimination="always"', cpa=of_profile("osb-be")
    ),
    R.NOT_ONCE: lambda: changed('duplicateElimination="always"', 'duplicateElimination="never"'),
    R.NO_RETRIES: lambda: made(retries=0),
    R.NO_INTERVAL: lambda: made(retry_interval=timedelta(0)),
    R.PERSIST: lambda: made(persist=timedelta(hours=26)),
    R.TOO_LATE: lambda: made(retries=16),
    R.UNSIGNED_ACK: lambda: changed(
        'ackSignatureRequested="always"', 'ackSignatureRequested="never"'
    ),
    R.NO_ACK_KEY: unsigned_signals,
    R.RECEIPT: lambda: changed(
        'NonRepudiationReceiptRequired="true"', 'NonRepudiationReceiptRequired="false"'
    ),
    R.PER_MESSAGE: lambda: changed('ackRequested="always"', 'ackRequested="perMessage"'),
    R.DIFFERING: lambda: changed('Elimination="always"', 'Elimination="never"', 1),
    R.SIGNED_IN_VAIN: lambda: changed(
        'is(NonRepudiationRequired|Authenticated|TamperProof)="[^"]*"', r'is\1="false"'
    ).replace(b'isAuthenticated="false"', b'isAuthenticated="transient"'),
    R.ENCRYPTED_IN_VAIN: lambda: changed('isConfidential="[^"]*"', 'isConfidential="transient"'),
    R.NO_TLS_CERTIFICATE: lambda: without("ClientCertificateRef"),
    R.SHA1: lambda: changed("<tns:HashFunction>[^<]*", "<tns:HashFunction>http://x/xmldsig#sha1"),
    R.SIGNATURE: lambda: changed("xmldsig-more#rsa-sha256", "xmldsig-more#rsa-md5"),
    R.CIPHER: lambda: changed("xmlenc11#aes256-gcm", "xmlenc#tripledes-cbc"),
    R.RSA15: offering_rsa15,
    R.EXCEPTED: offering_rsa15,
    R.OUTLIVES: lambda: made(end=pki.AT + timedelta(days=1200)),
    R.CERTIFICATE_ENDED: lambda: with_certificate("sign", pki.expired().certificate),
    R.CERTIFICATE_EARLY: lambda: with_certificate(
        "encrypt", pki.not_yet_valid("encrypt").certificate
    ),
    R.CERTIFICATE_SOON: lambda: with_certificate("sign", pki.ending().certificate),
    R.CERTIFICATE_OIN: lambda: with_certificate("sign", pki.leaf(pki.OM, "sign").certificate),
    R.CERTIFICATE_NO_OIN: lambda: with_certificate("sign", pki.nameless("sign").certificate),
    R.CERTIFICATE_KEY: lambda: with_certificate("encrypt", pki.weak("encrypt").certificate),
    R.CERTIFICATE_USAGE: lambda: with_certificate(
        "encrypt", pki.leaf(pki.POLITIE, "sign").certificate
    ),
    R.SELF_SIGNED: lambda: with_certificate("server", pki.pki().root),
    R.TLS_ENDED: lambda: with_certificate("client", pki.expired("tls").certificate),
    R.TLS_OIN: lambda: with_certificate("client", pki.leaf(pki.OM, "tls").certificate),
    R.TLS_NO_OIN: lambda: with_certificate("client", pki.nameless("tls").certificate),
    R.CERTIFICATE_FORM: lambda: with_certificate("sign", misspelled()),
    R.TLS_VERSION: lambda: changed('version="1.2">TLS', 'version="3.0">SSL'),
    R.TRANSPORT: lambda: changed('version="1.1">HTTP', 'version="1.1">SMTP'),
    R.MULTI_HOP: lambda: changed(":toPartyMSH", ":nextMSH"),
    R.ORDER: lambda: changed(">NotGuaranteed<", ">Guaranteed<"),
    R.EBMS_VERSION: lambda: changed(
        'ebXMLSenderBinding tns:version="2.0"', 'ebXMLSenderBinding tns:version="3.0"'
    ),
    R.CHARACTERISTICS: lambda: changed('CheckRequired="false"', 'CheckRequired="true"'),
}


POLICE = Party(oin=pki.POLITIE, name="P", role=Role.POLITIE, local=True)
LENIENT = {pki.POLITIE: allowing(POLICE, Weakness.RSA15)}


def found(cpa):
    return lint(cpa, at=pki.AT).remarks


def test_a_sound_agreement_has_no_findings():
    linted = lint(GOOD, at=pki.AT)

    assert linted.remarks == ()
    assert linted.may_be_activated


def test_every_rule_has_a_case():
    assert set(CASES) == set(CpaRule)


@pytest.mark.parametrize("rule", CpaRule, ids=lambda rule: f"{rule.id}-{rule.name}")
def test_rule_is_found(rule):
    linted = lint(CASES[rule](), at=pki.AT, parties=LENIENT if rule is R.EXCEPTED else {})
    hits = [remark for remark in linted.remarks if remark.rule is rule]

    assert hits, [str(one) for one in linted.remarks]
    for hit in hits:
        assert "{" not in f"{hit.line}{hit.remedy}"
    stopped = any(one.rule.weight is Weight.STOPS for one in linted.remarks)
    assert linted.may_be_activated is not stopped


@pytest.mark.parametrize("rule", [r for r in CpaRule if r.weight is Weight.STOPS])
def test_what_stops_is_not_activated(rule):
    assert not lint(CASES[rule](), at=pki.AT).may_be_activated


def unreadable_name():
    """Return a certificate in whose subject a name is no text; that is read late."""
    octets = pki.leaf(pki.POLITIE, "sign").certificate
    name = pki.NAMES[pki.POLITIE].encode()
    assert name in octets
    return octets.replace(name, name[:-1] + b"\xa0")


@pytest.mark.parametrize("usage", ["sign", "encrypt", "client", "server"])
@pytest.mark.parametrize("made", [unknown_key, unreadable_name])
def test_a_certificate_that_is_read_in_part_only_is_told(usage, made):
    octets = with_certificate(usage, made())

    assert R.CERTIFICATE_FORM in {one.rule for one in found(octets)}


def test_ids_are_unique_and_in_order():
    ids = [rule.id for rule in CpaRule]

    assert len(set(ids)) == len(ids)
    assert ids[0] == "CPA-001"


def test_sixteen_times_three_hours_is_told_with_its_span():
    (hit,) = {one.line.values["span"] for one in found(made(retries=16))}

    assert hit == "P2D"


def test_eight_times_three_hours_is_in_time():
    assert found(made(retries=8, retry_interval=timedelta(hours=3))) == ()


def test_a_finding_is_told_once_for_a_direction_with_the_actions():
    said = [str(one.where) for one in found(CASES[R.UNSIGNED_ACK]()) if one.rule is R.UNSIGNED_ACK]

    assert said == [
        f"{pki.POLITIE} → {pki.KNOOPPUNT}: vtMeldingDi01, Bv01Bericht",
        f"{pki.KNOOPPUNT} → {pki.POLITIE}: vtTerugkoppelingDi01, Bv01Bericht",
    ]


def test_of_many_actions_three_are_named():
    names = [action(f"bericht{n}") for n in range(9)]
    hit = next(
        one
        for one in found(changed('Elimination="always"', 'Elimination="never"', cpa=sends(*names)))
        if one.rule is R.NOT_ONCE
    )

    assert hit.where.endswith(": bericht0, bericht1, bericht2 +6")


def test_what_is_wrong_in_the_document_is_told_at_its_element():
    where = {one.where for one in found(CASES[R.ORDER]()) if one.rule is R.ORDER}

    assert len(where) == 4
    assert all(place.endswith("/ReliableMessaging/MessageOrderSemantics") for place in where)


def test_suffix_of_a_test_environment_is_not_part_of_the_oin():
    both = changed(
        f">{pki.KNOOPPUNT}<",
        f">{pki.KNOOPPUNT}_T<",
        cpa=changed(f">{pki.POLITIE}<", f">{pki.POLITIE}_T<"),
    )

    assert found(both) == ()


def test_whoever_has_a_mandate_may_hold_a_certificate_of_the_party():
    police = replace(POLICE, mandates=(pki.OM,))
    for rule in (R.CERTIFICATE_OIN, R.TLS_OIN):
        agreement = read_cpa(CASES[rule]())
        told = {one.rule for one in all_remarks(agreement, at=pki.AT)}
        known = all_remarks(agreement, at=pki.AT, parties={pki.POLITIE: police})

        assert rule in told
        assert rule not in {one.rule for one in known}


# --- what an exception of a partner makes milder ------------------------------------------

CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"


def stops(cpa, *what, oin=pki.POLITIE, until=None):
    """Return the rules that stop a CPA where that party has these exceptions."""
    parties = {oin: allowing(replace(POLICE, oin=oin), *what, until=until)}
    linted = lint(cpa, at=pki.AT, parties=parties)
    return [one for one in linted.remarks if one.rule.weight is Weight.STOPS]


@pytest.mark.parametrize(
    ("what", "rule", "cpa"),
    [
        (Weakness.RSA15, R.RSA15, offering_rsa15),
        (Weakness.CBC, R.CIPHER, lambda: changed(GCM, CBC)),
    ],
)
def test_what_may_be_used_both_ways_stops_nothing_while_it_lasts(what, rule, cpa):
    ends = pki.AT + timedelta(seconds=1)
    octets = cpa()

    assert {one.rule for one in stops(octets)} == {rule}
    assert stops(octets, what, until=ends) == []
    assert {one.rule for one in stops(octets, what, until=pki.AT)} == {rule}
    assert {one.rule for one in stops(octets, what, oin=pki.OM)} == {rule}
    assert {one.rule for one in stops(octets, *(set(Weakness) - {what}))} == {rule}


@pytest.mark.parametrize(
    ("what", "rule", "cpa"),
    [
        (Weakness.TRIPLE_DES, R.CIPHER, lambda: changed(GCM, TRIPLE_DES)),
        (Weakness.SHA1, R.SHA1, lambda: changed(SHA256, SHA1)),
    ],
)
def test_what_is_only_read_still_stops_the_other_way(what, rule, cpa):
    octets = cpa()
    way = f"{pki.KNOOPPUNT} → {pki.POLITIE}"

    assert {one.rule for one in stops(octets)} == {rule}
    left = stops(octets, what)
    assert {one.rule for one in left} == {rule}
    assert all(one.where.startswith(way) for one in left)
    assert len(left) < len(stops(octets))


def test_an_exception_covers_only_the_algorithm_that_it_is_about():
    other = changed("<tns:HashFunction>[^<]*", "<tns:HashFunction>http://x/xmldsig#sha1")

    assert stops(other, Weakness.SHA1) == stops(other)


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_that_are_offered_the_strongest_is_used(order):
    root = etree.fromstring(GOOD)
    for element in list(root.iter(cpp("EncryptionAlgorithm"))):
        more = etree.Element(cpp("EncryptionAlgorithm"))
        more.text = CBC
        element.addnext(more) if order == 1 else element.addprevious(more)

    agreement = read_cpa(etree.tostring(root))

    assert {one.channel.encryption.algorithm for one in agreement.bindings} == {AES256_GCM}
    assert {one.channel.encryption.key_transport for one in agreement.bindings} == {""}
    assert found(etree.tostring(root)) == ()


def test_rsa15_is_taken_from_a_cpa_only_where_it_stands_alone():
    alone = read_cpa(offering_rsa15())
    root = etree.fromstring(offering_rsa15())
    for element in list(root.iter(cpp("EncryptionAlgorithm")))[::2]:
        more = etree.Element(cpp("EncryptionAlgorithm"))
        more.text = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
        element.addnext(more)
    beside = read_cpa(etree.tostring(root))

    assert {one.channel.encryption.key_transport for one in alone.bindings} == {RSA_15}
    assert {one.channel.encryption.key_transport for one in beside.bindings} == {""}
    assert {one.channel.encryption.algorithm for one in alone.bindings} == {AES256_GCM}


def test_stops_come_first():
    weights = [one.rule.weight for one in found(CASES[R.NOT_AGREED]())]

    assert weights[0] is Weight.STOPS
