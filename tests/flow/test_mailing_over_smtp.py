"""End to end: gated, sealed, over SMTP to a server that was proved, opened by its reader."""

import pytest

from gateway.app import SystemClock, SystemDice
from gateway.config_mail import EmailSettings
from gateway.lifecycle import State
from gateway.outbound.mail import MailClient
from tests.flow import letters
from tests.flow import town as towns
from tests.flow.test_gate import melding
from tests.flow.test_mailing import SPOED, alarms, hand_in, letter_of, steps, stuck, view
from tests.flow.town import POLITIE
from tests.outbound.mail_certificates import server
from tests.outbound.mail_server import CLOSE, mail_servers
from tests.outbound.names import resolving

DOMAIN = "vt.example"
MX = f"mx1.{DOMAIN}"


@pytest.fixture
async def lines(tmp_path):
    """The town, the partner's mail server and what the name server says of it."""
    held = server(MX)
    async with mail_servers(tmp_path, held) as (servers, port), resolving() as (names, dns_port):
        names.port = port
        names.partner(DOMAIN, mx1=("127.0.0.11", str(held.tlsa(3))))
        settings = EmailSettings(
            domein="politie.example",
            afzender=letters.POLITIE_MAIL,
            ehlo="uit.politie.example",
            resolver_port=dns_port,
            port=port,
        )
        post = MailClient(settings, clock=SystemClock(), dice=SystemDice())
        town = await towns.build(tmp_path, post=post)
        await letters.set_up(town)
        yield town, servers[0], names
        await town.close()


async def test_what_was_handed_in_is_what_its_receiver_reads(lines):
    town, server_, _ = lines
    await letters.without_agreement(town, "vtMeldingDi01")

    message = await hand_in(town)

    (octets,) = server_.letters
    read = letters.opened(town, octets)
    assert read.payloads == (melding(),)
    assert read.party == POLITIE
    assert read.ebms_message_id == (await view(town, message)).message.message_id
    assert (await letter_of(town, message)).state is State.SENT
    (proof,) = steps(await view(town, message), "mail.proved")
    assert (proof.data["mx"], proof.data["dnssec"]) == (MX, True)


async def test_what_can_not_wait_says_that_it_may_come_twice(lines):
    town, server_, _ = lines
    message = await stuck(lines[:2])

    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()

    assert "Mogelijk dubbel" in letters.opened(town, server_.letters[0]).text


async def test_to_a_server_with_another_certificate_nothing_is_said_until_it_is_mended(lines):
    town, server_, names = lines
    good = names.records[f"_{names.port}._tcp.{MX}", "TLSA"]
    names.records[f"_{names.port}._tcp.{MX}", "TLSA"] = ["3 1 1 " + "00" * 32]
    await letters.without_agreement(town, "vtMeldingDi01")
    message = await hand_in(town)

    assert ("mail.unproved", "dane.mismatch") in await alarms(town)
    assert server_.letters == []

    names.records[f"_{names.port}._tcp.{MX}", "TLSA"] = good
    town.clock.forward(minutes=16)
    await town.settle()

    assert (await letter_of(town, message)).state is State.SENT
    assert len(server_.letters) == 1


async def test_a_server_that_goes_silent_behind_the_letter_leaves_it_to_a_person(lines):
    town, server_, _ = lines
    server_.replies["letter"] = CLOSE
    await letters.without_agreement(town, "vtMeldingDi01")

    message = await hand_in(town)
    town.clock.forward(hours=1)
    await town.settle()

    assert (await letter_of(town, message)).state is State.UNKNOWN
    assert len(server_.letters) == 1
