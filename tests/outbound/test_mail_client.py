"""Letters to mail servers on loopback: proved first, and what becomes of every kind of answer."""

import hashlib
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from gateway.app import SystemClock, SystemDice
from gateway.config_mail import EmailSettings
from gateway.directory import MailWay, PinnedMail
from gateway.errors import Misconfigured, StaleSnapshot, StoreUnavailable
from gateway.outbound.mail import MailClient
from gateway.ports.mail import (
    Basis,
    Deferred,
    Delivered,
    Letter,
    NotProved,
    Rejected,
    TransportProof,
    Unknown,
)
from gateway.security.dane import spki
from tests.outbound.mail_certificates import DAY, authority, bare, server
from tests.outbound.mail_server import CLOSE, SILENCE, MailServer, mail_servers
from tests.outbound.names import Names, failing, resolving

DOMAIN = "partner.example"
MX, MX2 = f"mx1.{DOMAIN}", f"mx2.{DOMAIN}"
DANE = MailWay()
LETTER = Letter(
    octets=b"From: a@wij.example\r\nSubject: veilig\r\n\r\n.een punt\r\ntekst\r\n",
    sender="bericht@wij.example",
    recipients=(f"vt+meldingen@{DOMAIN}",),
    reference="b-0001",
)


async def nobody_asks(_proof) -> None:
    """Let the letter leave."""


@dataclass
class Place:
    """A partner with one or two mail servers, a resolver, and our client."""

    names: Names
    servers: list[MailServer]
    port: int
    settings: EmailSettings

    @property
    def client(self) -> MailClient:
        return MailClient(self.settings, clock=SystemClock(), dice=SystemDice())

    def patient(self, **seconds: float) -> None:
        self.settings = self.settings.model_copy(update=seconds)

    async def send(self, letter: Letter = LETTER, way: MailWay = DANE, leaves=None):
        return await self.client.send(letter, way, leaves or nobody_asks)


@asynccontextmanager
async def place(folder: Path, *helds, **records: str):
    helds = helds or (server(MX),)
    async with mail_servers(folder, *helds) as (servers, port), resolving() as (names, dns_port):
        names.port = port
        hosts = {
            f"mx{n}": (f"127.0.0.{n + 10}", records.get(f"mx{n}", str(held.tlsa(3))))
            for n, held in enumerate(helds, start=1)
        }
        names.partner(DOMAIN, **hosts)
        settings = EmailSettings(
            domein="wij.example",
            afzender="bericht@wij.example",
            ehlo="uit.wij.example",
            resolver_port=dns_port,
            port=port,
        )
        yield Place(names, servers, port, settings)


@pytest.fixture
async def at(tmp_path):
    async with place(tmp_path) as made:
        yield made


def silent(place: Place) -> bool:
    """Nobody heard anything but EHLO and STARTTLS in plain text, or anything at all."""
    return all(
        command.startswith(("EHLO", "STARTTLS")) for one in place.servers for command in one.heard
    )


# --- it goes --------------------------------------------------------------------------


async def test_letter_goes_to_a_server_that_was_proved(at):
    outcome = await at.send()

    assert isinstance(outcome, Delivered)
    assert outcome.reply == "250 2.0.0"
    assert outcome.notifies
    assert at.servers[0].letters == [LETTER.octets.replace(b"\r\n.", b"\r\n..")]
    held = server(MX)
    assert outcome.proof == TransportProof(
        at=outcome.proof.at,
        domain=DOMAIN,
        mx=MX,
        address="127.0.0.11",
        basis=Basis.DANE,
        record=str(held.tlsa(3)),
        name="",
        certificate=hashlib.sha256(held.der).hexdigest(),
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
    )
    assert outcome.proof.dnssec


async def test_only_two_commands_are_said_in_plain_text_and_one_at_a_time(at):
    await at.send()

    notify = f"NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;vt+2Bmeldingen@{DOMAIN}"
    assert at.servers[0].heard == [
        "EHLO uit.wij.example",
        "STARTTLS",
        "tls EHLO uit.wij.example",
        f"tls MAIL FROM:<bericht@wij.example> SIZE={len(LETTER.octets)} RET=HDRS ENVID=b-0001",
        f"tls RCPT TO:<vt+meldingen@{DOMAIN}> {notify}",
        "tls DATA",
        "tls QUIT",
    ]
    assert at.servers[0].server_names == [MX]


async def test_what_wants_no_answer_gets_none(at):
    outcome = await at.send(replace(LETTER, sender=""))

    assert isinstance(outcome, Delivered)
    said = [one for one in at.servers[0].heard if "MAIL" in one or "RCPT" in one]
    assert said[0].startswith("tls MAIL FROM:<> ")
    assert said[1] == f"tls RCPT TO:<vt+meldingen@{DOMAIN}> NOTIFY=NEVER"


async def test_it_is_told_to_leave_when_all_is_proved_and_only_the_letter_is_left_to_say(at):
    told = []

    async def leaves(proof):
        told.append((proof.mx, at.servers[0].heard[-1].split(" ")[1]))

    await at.send(leaves=leaves)

    assert told == [(MX, "RCPT")]


@pytest.mark.parametrize("error", [StaleSnapshot, StoreUnavailable])
async def test_what_may_not_leave_stays_and_goes_to_no_other_server(tmp_path, error):
    async def leaves(_proof):
        raise error("claim.lost", "not ours any more")

    async with place(tmp_path, server(MX), server(MX2)) as at:
        with pytest.raises(error):
            await at.send(leaves=leaves)

        assert "tls DATA" not in at.servers[0].heard
        assert at.servers[1].heard == []


async def test_nothing_is_told_to_leave_that_was_not_proved(at):
    async def leaves(_proof):
        raise AssertionError

    at.servers[0].starttls = False
    assert isinstance(await at.send(leaves=leaves), NotProved)


async def test_to_prove_alone_says_nothing_of_a_letter(at):
    outcome = await at.client.prove(DOMAIN, DANE)

    assert isinstance(outcome, TransportProof)
    assert at.servers[0].heard[2:] == ["tls EHLO uit.wij.example", "tls QUIT"]


async def test_certificate_that_expired_and_is_of_nobody_counts_when_its_key_was_published(
    tmp_path,
):
    async with place(tmp_path, bare()) as at:
        assert isinstance(await at.send(), Delivered)


async def test_authority_that_was_published_counts_with_the_name(tmp_path):
    async with place(tmp_path, server(MX), mx1=str(authority().tlsa(2))) as at:
        outcome = await at.send()

    assert isinstance(outcome, Delivered)
    assert outcome.proof.name == MX


async def test_second_server_is_tried_when_the_first_is_out(tmp_path):
    async with place(tmp_path, server(MX), server(MX2)) as at:
        at.names.records[MX, "A"] = ["127.0.0.99"]
        outcome = await at.send()

    assert isinstance(outcome, Delivered)
    assert outcome.proof.mx == MX2
    assert [(one.host, one.code) for one in outcome.tried] == [(MX, "smtp.unreachable")]


async def test_second_server_is_tried_when_the_first_can_not_be_proved(tmp_path):
    async with place(tmp_path, server(MX), server(MX2), mx1=str(bare().tlsa(3))) as at:
        outcome = await at.send()

        assert isinstance(outcome, Delivered)
        assert [one.code for one in outcome.tried] == ["dane.mismatch"]
        assert at.servers[0].heard == ["EHLO uit.wij.example", "STARTTLS"]


async def test_alias_is_followed_and_its_own_record_counts_first(at):
    at.names.records[MX, "CNAME"] = ["echt.elders.example."]
    at.names.records["echt.elders.example", "A"] = at.names.records.pop((MX, "A"))
    moved = at.names.records.pop((f"_{at.port}._tcp.{MX}", "TLSA"))
    at.names.records[f"_{at.port}._tcp.echt.elders.example", "TLSA"] = moved

    assert isinstance(await at.send(), Delivered)
    assert at.servers[0].server_names == ["echt.elders.example"]


async def test_record_under_the_first_name_counts_where_the_alias_has_none(at):
    at.names.records[MX, "CNAME"] = ["echt.elders.example."]
    at.names.records["echt.elders.example", "A"] = at.names.records.pop((MX, "A"))

    assert isinstance(await at.send(), Delivered)
    assert at.servers[0].server_names == [MX]


async def test_domain_without_mx_is_its_own_server(at):
    at.names.records[DOMAIN, "MX"] = []
    at.names.records[DOMAIN, "A"] = ["127.0.0.11"]
    at.names.records[f"_{at.port}._tcp.{DOMAIN}", "TLSA"] = [str(server(MX).tlsa(3))]

    assert isinstance(await at.send(), Delivered)


async def test_letter_with_eight_bits_is_announced_as_such(at):
    eight = replace(LETTER, octets="Subject: x\r\n\r\nbriefje à la carte\r\n".encode())

    assert isinstance(await at.send(eight), Delivered)
    assert "BODY=8BITMIME" in at.servers[0].heard[3]


async def test_server_that_promises_nothing_is_asked_for_nothing(at):
    at.servers[0].offers = []

    outcome = await at.send()

    assert isinstance(outcome, Delivered)
    assert not outcome.notifies
    assert at.servers[0].heard[3:5] == [
        "tls MAIL FROM:<bericht@wij.example>",
        f"tls RCPT TO:<vt+meldingen@{DOMAIN}>",
    ]


# --- not proved: the names ------------------------------------------------------------


def mx(names: Names, answer) -> None:
    names.broken[DOMAIN, "MX"] = answer


NAMES = {
    "dns.nxdomain": lambda names, _tlsa: names.records.clear(),
    "dns.servfail": lambda names, _tlsa: mx(names, failing(dns.rcode.SERVFAIL)),
    "dns.bogus": lambda names, _tlsa: mx(names, failing(dns.rcode.SERVFAIL, 6)),
    "dns.lame": lambda names, _tlsa: mx(names, failing(dns.rcode.REFUSED)),
    "dns.malformed": lambda names, _tlsa: mx(names, lambda _query: b"\0" * 20),
    "dns.unsigned": lambda names, _tlsa: names.unsigned.add((DOMAIN, "MX")),
    "dane.none": lambda names, tlsa: names.records.update({tlsa: []}),
    "dane.unusable": lambda names, tlsa: names.records.update({tlsa: [f"1 1 1 {'ab' * 32}"]}),
    "dane.mismatch": lambda names, tlsa: names.records.update({tlsa: [f"3 1 1 {'ab' * 32}"]}),
    "dns.no_address": lambda names, _tlsa: names.records.update({(MX, "A"): []}),
}


@pytest.mark.parametrize("code", NAMES)
async def test_what_the_names_do_not_prove_is_not_sent(at, code):
    NAMES[code](at.names, (f"_{at.port}._tcp.{MX}", "TLSA"))

    outcome = await at.send()

    assert isinstance(outcome, NotProved)
    assert outcome.code == code
    assert outcome.seen
    assert silent(at)


@pytest.mark.parametrize(
    "question", [(MX, "A"), (MX, "AAAA"), (f"_{{port}}._tcp.{MX}", "TLSA"), (DOMAIN, "MX")]
)
async def test_every_answer_on_the_way_must_be_validated(at, question):
    name, kind = question
    at.names.unsigned.add((name.format(port=at.port), kind))

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "dns.unsigned")
    assert at.servers[0].heard == []


async def test_alias_into_a_zone_that_is_not_signed_is_not_followed(at):
    at.names.records[MX, "CNAME"] = ["echt.elders.example."]
    at.names.records["echt.elders.example", "A"] = at.names.records.pop((MX, "A"))
    at.names.unsigned.add(("echt.elders.example", "A"))

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "dns.unsigned")


@pytest.mark.parametrize("name", ["_x.elders.example.", "a\\032b.elders.example.", "elders."])
async def test_alias_to_what_is_no_host_is_not_followed(at, name):
    at.names.records[MX, "CNAME"] = [name]
    at.names.records[name.rstrip("."), "A"] = at.names.records.pop((MX, "A"))

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "dns.malformed")


async def test_mx_that_is_no_host_or_one_of_too_many_is_not_tried(at):
    at.names.records[DOMAIN, "MX"] = ["10 _x.elders.example."]
    assert (await at.send()).code == "dns.malformed"

    at.names.records[DOMAIN, "MX"] = [f"10 mx{n}.elders.example." for n in range(17)]
    assert (await at.send()).code == "dns.malformed"

    at.names.records[DOMAIN, "MX"] = [f"10 mx{n}.elders.example." for n in range(65)]
    assert (await at.send()).code == "dns.malformed"


async def test_resolver_that_only_forwards_is_lame(at):
    def no_recursion(query):
        response = dns.message.make_response(query)
        return response.to_wire()

    mx(at.names, no_recursion)
    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "dns.lame")


async def test_resolver_that_says_nothing_is_waited_for_and_left(at):
    at.patient(dns_seconds=0.2)
    mx(at.names, lambda _query: None)

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "dns.timeout")


async def test_resolver_that_is_gone_is_told_as_such(at):
    at.patient(resolver_port=at.port)
    at.servers[0].replies["greeting"] = CLOSE

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "dns.unreachable")


async def test_domain_that_says_it_takes_no_mail_is_not_tried_again(at):
    at.names.records[DOMAIN, "MX"] = ["0 ."]

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (Rejected, "mail.none")


@pytest.mark.parametrize("kind", ["MX", "TLSA"])
async def test_domain_that_names_others_in_between_gets_nothing(at, kind):
    def change(_question):
        if any("RCPT" in command for command in at.servers[0].heard):
            at.names.before = lambda _question: None
            if kind == "MX":
                at.names.partner(DOMAIN, elders=("127.0.0.11", str(server(MX).tlsa(3))))
            else:
                at.names.records[f"_{at.port}._tcp.{MX}", "TLSA"] = [str(bare().tlsa(3))]

    at.names.before = change
    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "mail.changed")
    assert at.servers[0].letters == []
    assert "tls DATA" not in at.servers[0].heard


def test_resolver_elsewhere_is_not_believed():
    elsewhere = {
        "domein": "wij.example",
        "afzender": "a@wij.example",
        "ehlo": "uit.wij.example",
        "resolver": "192.0.2.53",
    }

    with pytest.raises(Misconfigured) as caught:
        MailClient(EmailSettings(**elsewhere), clock=SystemClock(), dice=SystemDice())
    assert caught.value.code == "email.resolver"
    MailClient(
        EmailSettings(**elsewhere, unsafe_resolver=True), clock=SystemClock(), dice=SystemDice()
    )


# --- not proved: TLS ------------------------------------------------------------------


async def test_starttls_that_is_stripped_stops_everything(at):
    at.servers[0].starttls = False

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "smtp.starttls")
    assert at.servers[0].heard == ["EHLO uit.wij.example"]


@pytest.mark.parametrize("reply", ["454 4.7.0 not now", "502 no", "250 fine"])
async def test_starttls_that_is_refused_stops_everything(at, reply):
    at.servers[0].replies["STARTTLS"] = reply

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "smtp.starttls")
    assert silent(at)


async def test_what_came_in_plain_text_behind_starttls_is_refused(at):
    at.servers[0].after_starttls = b"250 injected\r\n"

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "smtp.starttls")


async def test_server_with_old_ciphers_only_is_not_proved(at):
    at.servers[0].context.maximum_version = ssl.TLSVersion.TLSv1_2
    at.servers[0].context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "smtp.tls")


async def test_server_that_never_ends_the_handshake_is_not_proved(at):
    at.patient(connect_seconds=1.0)
    at.servers[0].handshakes = False

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "smtp.tls")


async def test_failed_proof_weighs_more_than_a_server_that_is_out(tmp_path):
    async with place(tmp_path, server(MX), server(MX2), mx1=str(bare().tlsa(3))) as at:
        at.names.records[MX2, "A"] = ["127.0.0.99"]
        outcome = await at.send()

    assert (type(outcome), outcome.code) == (NotProved, "dane.mismatch")
    assert [one.code for one in outcome.tried] == ["dane.mismatch", "smtp.unreachable"]


# --- a recorded policy ----------------------------------------------------------------


def recorded(*, hosts=(MX,), anchors=(), keys=()) -> MailWay:
    return MailWay(pinned=PinnedMail(hosts=hosts, anchors=anchors, keys=frozenset(keys)))


async def test_recorded_policy_stands_instead_of_mx_and_tlsa(at):
    at.names.unsigned.update({(MX, "A"), (MX, "AAAA")})
    at.names.records[DOMAIN, "MX"] = ["10 elders.example."]

    outcome = await at.send(way=recorded(anchors=(authority().der,)))

    assert isinstance(outcome, Delivered)
    assert outcome.proof.basis is Basis.PINNED
    assert outcome.proof.record.startswith("ca ")
    assert not outcome.proof.dnssec
    assert {kind for _name, kind in at.names.asked} == {"A", "AAAA"}


@pytest.mark.parametrize(
    "hosts", [(), ("",), ("mx",), ("a..b",), (".mx.partner.example",), (MX, "mx partner.example")]
)
async def test_recorded_server_that_is_no_host_is_not_looked_for(at, hosts):
    outcome = await at.send(way=recorded(hosts=hosts, anchors=(authority().der,)))

    assert (type(outcome), outcome.code) == (NotProved, "dns.name")
    assert at.names.asked == []


async def test_recorded_server_is_found_whatever_its_capitals(at):
    outcome = await at.send(way=recorded(hosts=(MX.upper(),), anchors=(authority().der,)))

    assert isinstance(outcome, Delivered)


async def test_recorded_key_is_enough(at):
    key = hashlib.sha256(spki(server(MX).certificate)).hexdigest()

    outcome = await at.send(way=recorded(keys=(key,)))

    assert isinstance(outcome, Delivered)
    assert outcome.proof.record == f"key {key}"


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (server(MX, before=-40 * DAY, after=-DAY), "certificate.expired"),
        (server("elders.example"), "certificate.host"),
        (server(MX, issuer="other"), "certificate.untrusted"),
        (bare(), "certificate.expired"),
    ],
)
async def test_recorded_policy_that_is_not_met_stops_everything(tmp_path, held, code):
    async with place(tmp_path, held) as at:
        outcome = await at.send(way=recorded(anchors=(authority().der,)))

        assert (type(outcome), outcome.code) == (NotProved, code)
        assert silent(at)


# --- NTA 7516 -------------------------------------------------------------------------

NTA = "v=NTA7516-1;startdate=2020-01;enddate=2099-12;provider=test"


async def test_agreed_record_is_looked_up_and_kept_with_the_proof(at):
    at.names.records[DOMAIN, "TXT"] = [f'"{NTA}"', '"v=spf1 -all"']

    outcome = await at.send(way=MailWay(nta7516=True))

    assert isinstance(outcome, Delivered)
    assert outcome.proof.nta7516 == NTA


async def test_servers_of_the_record_stand_instead_of_the_mx(at):
    at.names.records[DOMAIN, "TXT"] = [f'"{NTA};ntamx=10 {MX}"']
    at.names.records[DOMAIN, "MX"] = ["10 gewone.post.example."]

    outcome = await at.send(way=MailWay(nta7516=True))

    assert isinstance(outcome, Delivered)
    assert outcome.proof.mx == MX


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("v=spf1 -all", "nta7516.none"),
        (NTA.replace("2099", "2021"), "nta7516.period"),
        (NTA.replace("2099-12", "later"), "nta7516.malformed"),
    ],
)
async def test_agreed_record_that_is_missing_stops_everything(at, text, code):
    at.names.records[DOMAIN, "TXT"] = [f'"{text}"']

    outcome = await at.send(way=MailWay(nta7516=True))

    assert (type(outcome), outcome.code) == (NotProved, code)
    assert at.servers[0].heard == []


async def test_agreed_record_that_is_not_signed_does_not_count(at):
    at.names.records[DOMAIN, "TXT"] = [f'"{NTA}"']
    at.names.unsigned.add((DOMAIN, "TXT"))

    outcome = await at.send(way=MailWay(nta7516=True))

    assert (type(outcome), outcome.code) == (NotProved, "dns.unsigned")


# --- what the server answers ----------------------------------------------------------

SAYS = [
    ("greeting", "421 4.3.2 later", Deferred, "smtp.deferred"),
    ("greeting", "554 5.7.1 never", Deferred, "smtp.deferred"),
    ("EHLO", "502 what", Deferred, "smtp.deferred"),
    ("HELLO", "550 5.7.1 not you", Rejected, "smtp.rejected"),
    ("HELLO", "421 4.3.2 later", Deferred, "smtp.deferred"),
    ("MAIL", "451 4.7.1 later", Deferred, "smtp.deferred"),
    ("MAIL", "550 5.7.1 no", Rejected, "smtp.rejected"),
    ("RCPT", "450 4.2.0 greylisted", Deferred, "smtp.deferred"),
    ("RCPT", "550 5.1.1 <jan@partner.example> unknown", Rejected, "smtp.rejected"),
    ("DATA", "452 4.3.1 full", Deferred, "smtp.deferred"),
    ("DATA", "554 5.5.1 no", Rejected, "smtp.rejected"),
    ("DATA", "250 2.0.0 odd", Deferred, "smtp.deferred"),
    ("letter", "451 4.3.0 scanner is out", Deferred, "smtp.deferred"),
    ("letter", "552 5.3.4 too large", Rejected, "smtp.rejected"),
    ("letter", "354 go on", Unknown, "smtp.unanswered"),
    ("letter", "who are you", Unknown, "smtp.unanswered"),
    ("letter", CLOSE, Unknown, "smtp.unanswered"),
    ("greeting", CLOSE, Deferred, "smtp.lost"),
    ("EHLO", CLOSE, Deferred, "smtp.lost"),
    ("STARTTLS", CLOSE, Deferred, "smtp.lost"),
    ("MAIL", CLOSE, Deferred, "smtp.lost"),
    ("RCPT", CLOSE, Deferred, "smtp.lost"),
    ("DATA", CLOSE, Deferred, "smtp.lost"),
    ("greeting", "hello there", Deferred, "smtp.protocol"),
    ("MAIL", "250-2.1.0 one\r\n251 two", Deferred, "smtp.protocol"),
    ("MAIL", "250 fine\r\n250 and this too", Deferred, "smtp.protocol"),
    ("MAIL", "250-x\r\n" * 4_000 + "250 x", Deferred, "smtp.protocol"),
    ("MAIL", "250 " + "x" * 20_000, Deferred, "smtp.protocol"),
    ("DATA", "354 go\r\n250 taken", Deferred, "smtp.protocol"),
]


@pytest.mark.parametrize(("step", "reply", "kind", "code"), SAYS)
async def test_every_answer_means_one_thing(at, step, reply, kind, code):
    at.servers[0].replies[step] = reply

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (kind, code)
    assert bool(at.servers[0].letters) is (step == "letter")


@pytest.mark.parametrize(
    ("step", "seconds", "kind", "code"),
    [
        ("greeting", {"reply_seconds": 0.3}, Deferred, "smtp.timeout"),
        ("MAIL", {"reply_seconds": 3.0}, Deferred, "smtp.timeout"),
        ("letter", {"data_seconds": 1.0}, Unknown, "smtp.unanswered"),
    ],
)
async def test_server_that_says_nothing_is_waited_for_and_left(at, step, seconds, kind, code):
    at.servers[0].replies[step] = SILENCE
    at.patient(**seconds)

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (kind, code)


async def test_connection_that_breaks_in_the_letter_leaves_nothing_behind(at):
    at.servers[0].reads_letters = False
    # More than the kernels of both sides hold for the other end.
    long = replace(LETTER, octets=LETTER.octets + b"regel\r\n" * 2_000_000)
    at.servers[0].offers.remove("SIZE 1000000")

    outcome = await at.send(long)

    assert (type(outcome), outcome.code) == (Deferred, "smtp.lost")
    assert at.servers[0].letters == []


async def test_after_a_letter_without_answer_no_other_server_is_tried(tmp_path):
    async with place(tmp_path, server(MX), server(MX2)) as at:
        at.servers[0].replies["letter"] = CLOSE
        outcome = await at.send()

        assert isinstance(outcome, Unknown)
        assert outcome.notifies
        assert outcome.proof.mx == MX
        assert at.servers[1].heard == []


async def test_server_that_can_not_now_leaves_it_to_the_next(tmp_path):
    async with place(tmp_path, server(MX), server(MX2)) as at:
        at.servers[0].replies["RCPT"] = "450 4.2.0 greylisted"
        outcome = await at.send()

    assert isinstance(outcome, Delivered)
    assert outcome.proof.mx == MX2
    assert [(one.code, one.seen) for one in outcome.tried] == [
        ("smtp.deferred", "RCPT 1: 450 4.2.0")
    ]


async def test_server_that_refuses_ends_it(tmp_path):
    async with place(tmp_path, server(MX), server(MX2)) as at:
        at.servers[0].replies["MAIL"] = "550 5.7.1 no"
        outcome = await at.send()

        assert isinstance(outcome, Rejected)
        assert at.servers[1].heard == []


async def test_one_recipient_that_is_refused_keeps_the_letter_from_all_and_is_not_named(at):
    two = replace(LETTER, recipients=(f"a@{DOMAIN}", f"b@{DOMAIN}"))
    at.servers[0].replies["RCPT"] = "550 5.1.1 <a@partner.example> unknown"

    outcome = await at.send(two)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.seen) == ("smtp.rejected", "RCPT 1: 550 5.1.1")
    assert at.servers[0].letters == []


async def test_letter_larger_than_the_server_takes_is_not_begun(at):
    at.servers[0].offers = [f"SIZE {len(LETTER.octets) - 1}"]

    outcome = await at.send()

    assert (type(outcome), outcome.code) == (Rejected, "smtp.size")
    assert at.servers[0].heard[-1] == "tls EHLO uit.wij.example"


async def test_eight_bits_do_not_go_where_seven_fit(at):
    at.servers[0].offers = []

    outcome = await at.send(replace(LETTER, octets=b"\r\n\xe9\r\n"))

    assert (type(outcome), outcome.code) == (Rejected, "smtp.8bitmime")


async def test_what_is_offered_before_tls_counts_for_nothing(at):
    at.servers[0].replies["EHLO"] = "250-mx\r\n250-STARTTLS\r\n250 SIZE 1"

    assert isinstance(await at.send(), Delivered)


# --- what does not leave --------------------------------------------------------------

BAD = {
    "mail.address": [
        {"recipients": (f"a b@{DOMAIN}",)},
        {"recipients": (f"a@{DOMAIN}>\r\nRCPT TO:<b@elders.example",)},
        {"recipients": ("a@[127.0.0.1]",)},
        {"recipients": ("zonder",)},
        {"sender": "a@wij.example> SIZE=1"},
    ],
    "mail.recipients": [
        {"recipients": ()},
        {"recipients": (f"a@{DOMAIN}", "b@elders.example")},
        {"recipients": tuple(f"a{n}@{DOMAIN}" for n in range(101))},
    ],
    "mail.letter": [
        {"octets": b"Subject: x\n\nbare\n"},
        {"octets": b"Subject: x\r\n\r\nno end"},
        {"octets": b"x\r\n.\n\r\nMAIL FROM:<>\r\n"},
        {"octets": b"x\r.\r\n"},
        {"octets": b"x" * 999 + b"\r\n"},
        {"octets": b"\0\r\n"},
        {"reference": "b 1"},
        {"reference": ""},
    ],
    "mail.too_large": [{"octets": b"x\r\n" * 4_000}],
}


@pytest.mark.parametrize(
    ("code", "change"), [(code, change) for code, changes in BAD.items() for change in changes]
)
async def test_letter_with_tricks_does_not_leave(at, code, change):
    at.patient(most_bytes=10_000)

    outcome = await at.send(replace(LETTER, **change))

    assert (type(outcome), outcome.code) == (Rejected, code)
    assert at.names.asked == []


async def test_line_of_the_greatest_length_leaves(at):
    assert isinstance(await at.send(replace(LETTER, octets=b"x" * 998 + b"\r\n")), Delivered)
