"""What `gateway doctor` says of our own mail domain and of the way to partners."""

from dataclasses import replace

import dns.rcode
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.cli.doctor_findings import Severity
from gateway.cli.doctor_mail import examine_domain, examine_ways, own_domain
from gateway.config_mail import EmailSettings
from gateway.directory import MailWay
from gateway.security.dkim import DkimKey
from tests.outbound.mail_certificates import bare, server
from tests.outbound.mail_server import mail_servers
from tests.outbound.names import failing, resolving

DOMAIN = "post.wij.example"
MX = f"mx1.{DOMAIN}"
KEY = DkimKey(domain=DOMAIN, selector="s1", private=Ed25519PrivateKey.generate())
OF_ANOTHER = (
    f'"v=DKIM1; k=ed25519; p={replace(KEY, private=Ed25519PrivateKey.generate()).published}"'
)
GOOD, WARN, BAD = Severity.GOOD, Severity.WARN, Severity.BAD


@pytest.fixture
async def names():
    async with resolving() as (made, port):
        made.port = 25
        made.resolver_port = port
        made.partner(DOMAIN, mx1=("127.0.0.1", str(server(MX).tlsa(3))))
        made.records[DOMAIN, "TXT"] = ['"v=spf1 ip4:192.0.2.1 -all"', '"iets anders"']
        made.records[f"s1._domainkey.{DOMAIN}", "TXT"] = [
            f'"v=DKIM1; k=ed25519; p={KEY.published}"'
        ]
        made.records[f"_dmarc.{DOMAIN}", "TXT"] = ['"v=DMARC1; p=reject"']
        yield made


def nothing(_settings):
    return ()


def settings(names, **more) -> EmailSettings:
    given = {"domein": DOMAIN, "afzender": f"b@{DOMAIN}", "ehlo": f"uit.{DOMAIN}"}
    given |= {"resolver_port": names.resolver_port}
    return EmailSettings(**given | more)


async def found(names, *, dkim=(KEY,), **more) -> dict[str, Severity]:
    """Return what is not good, by code."""
    findings = await examine_domain(settings(names, **more), dkim)
    assert all(finding.remedy for finding in findings if finding.code)
    return {finding.code: finding.severity for finding in findings if finding.code}


async def test_domain_that_is_in_order_is_said_to_be(names):
    findings = await examine_domain(settings(names), (KEY,))

    assert [finding.severity for finding in findings] == [GOOD] * 4
    assert [finding.text.split(":")[0] for finding in findings] == ["DANE", "SPF", "DKIM", "DMARC"]


def test_without_e_mail_there_is_nothing_to_say():
    assert list(own_domain(None, nothing)) == []


def test_resolver_that_is_not_there_is_one_finding():
    nobody = EmailSettings(domein=DOMAIN, afzender=f"b@{DOMAIN}", ehlo=DOMAIN, resolver_port=1)

    assert [(one.severity, one.code) for one in own_domain(nobody, nothing)] == [
        (BAD, "dns.unreachable")
    ]


@pytest.mark.parametrize("resolver", ["192.0.2.53", "resolver.example"])
def test_resolver_that_can_not_be_believed_is_one_finding(resolver):
    far = EmailSettings(domein=DOMAIN, afzender=f"b@{DOMAIN}", ehlo=DOMAIN, resolver=resolver)

    assert [(one.severity, one.code) for one in own_domain(far, nothing)] == [
        (BAD, "email.resolver")
    ]


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        ({(f"_25._tcp.{MX}", "TLSA"): []}, "email.dane", BAD),
        ({(f"_25._tcp.{MX}", "TLSA"): [f"0 0 1 {'ab' * 32}"]}, "email.dane", BAD),
        ({(DOMAIN, "MX"): ["0 ."]}, "email.dane", BAD),
        ({(DOMAIN, "TXT"): []}, "email.spf", BAD),
        ({(DOMAIN, "TXT"): ['"v=spf1 -all"', '"v=spf1 mx -all"']}, "email.spf", BAD),
        ({(DOMAIN, "TXT"): ['"v=spf1 mx ~all"']}, "email.spf", WARN),
        ({(f"s1._domainkey.{DOMAIN}", "TXT"): []}, "email.dkim", BAD),
        ({(f"s1._domainkey.{DOMAIN}", "TXT"): ['"v=DKIM1; k=ed25519; p="']}, "email.dkim", BAD),
        ({(f"s1._domainkey.{DOMAIN}", "TXT"): [OF_ANOTHER]}, "email.dkim", BAD),
        ({(f"_dmarc.{DOMAIN}", "TXT"): []}, "email.dmarc", BAD),
        ({(f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=none"']}, "email.dmarc", WARN),
    ],
)
async def test_what_is_missing_or_weak_is_found(names, change, code, severity):
    names.records |= change

    assert await found(names) == {code: severity}


async def test_zone_that_is_not_signed_is_found(names):
    names.unsigned.add((DOMAIN, "MX"))

    assert await found(names) == {"email.dane": BAD}


async def test_policy_of_the_domain_above_counts_for_what_is_below(names):
    del names.records[f"_dmarc.{DOMAIN}", "TXT"]
    names.records["_dmarc.wij.example", "TXT"] = ['"v=DMARC1; p=reject; sp=none"']

    assert await found(names) == {"email.dmarc": WARN}

    names.records["_dmarc.wij.example", "TXT"] = ['"v=DMARC1; p=quarantine"']
    assert await found(names) == {}


async def test_mail_that_nobody_signs_is_told(names):
    assert await found(names, dkim=()) == {"email.dkim": WARN}


async def test_resolver_that_is_lame_is_one_finding(names):
    names.broken[DOMAIN, "MX"] = failing(dns.rcode.REFUSED)

    assert await found(names) == {"dns.lame": BAD}


async def test_resolver_that_is_believed_without_proof_is_told(names):
    assert await found(names, unsafe_resolver=True) == {"email.resolver": WARN}


async def test_way_to_a_partner_is_proved_or_the_reason_is_told(names, tmp_path):
    host = "mx1.partner.example"
    async with mail_servers(tmp_path, server(host)) as (servers, port):
        names.port = port
        names.partner("partner.example", mx1=("127.0.0.11", str(server(host).tlsa(3))))
        names.partner("elders.example", mx1=("127.0.0.11", str(bare().tlsa(3))))
        ways = [
            ("Partner", "vt@partner.example", MailWay()),
            ("Elders", "vt@elders.example", MailWay()),
        ]
        good, bad = await examine_ways(settings(names, port=port), ways)

        assert good.severity is GOOD
        assert (bad.severity, bad.code) == (BAD, "dane.mismatch")
        assert servers[0].letters == []
