"""LMTP as a mail server speaks it: 250 only for what was committed, and bounds on everything."""

import asyncio
import grp
import os
import socket
import stat
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from smtplib import LMTP, SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

import pytest

from gateway.directory import OwnMailbox
from gateway.errors import Misconfigured, OutcomeUnknown, StoreUnavailable, Unavailable
from gateway.ports.incoming import FULL
from gateway.web.inbound.lmtp import LmtpLimits, LmtpListener, Place, listen_lmtp
from gateway.web.inbound.lmtp_lines import LONGEST_LINE
from gateway.web.inbound.lmtp_session import COMMANDS, RECIPIENTS, Patience
from gateway.web.turns import Turns

AT = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
OURS = "gateway@vt.example"
MOST = 100_000
MAIL = b"From: a@b.example\r\nSubject: x\r\n\r\nhallo\r\n"
SHORT = timedelta(milliseconds=200)


class Clock:
    def now(self):
        return AT

    def monotonic(self):
        return 0.0


class Desk:
    """Takes mails in, or says what a test says."""

    def __init__(self):
        self.taken = []
        self.begun = asyncio.Queue()
        self.error = None
        self.box = OwnMailbox(address=OURS, certificates=(), maximum=MOST)
        self.gate = asyncio.Event()
        self.gate.set()

    async def take(self, mail):
        self.begun.put_nowait(len(mail.octets))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.taken.append(mail)


@pytest.fixture
def desk():
    return Desk()


@asynccontextmanager
async def listening(desk, place=None, turns=None, **limits):
    listener = LmtpListener(
        take=desk.take,
        mailbox=lambda: desk.box,
        clock=Clock(),
        limits=LmtpLimits(**limits),
        turns=turns or Turns(),
    )
    await listen_lmtp(listener, place or Place())
    try:
        yield listener
    finally:
        await listener.close()


def post(port, octets=MAIL, recipients=(OURS,), sender="a@b.example"):
    """Hand over a mail as Python's own client does; return who was refused."""
    with LMTP("127.0.0.1", port, timeout=20) as client:
        return client.sendmail(sender, recipients, octets)


async def posted(listener, *given, **more):
    return await asyncio.to_thread(post, listener.port, *given, **more)


class Line:
    """A mail server that says exactly what it is told to."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    async def say(self, octets):
        self._writer.write(octets)
        await self._writer.drain()

    async def heard(self):
        """Return the next answer, of however many lines."""
        async with asyncio.timeout(20):
            while (line := await self._reader.readline())[3:4] == b"-":
                pass
        return line.decode().strip()

    async def ask(self, text):
        await self.say(f"{text}\r\n".encode())
        return await self.heard()

    async def envelope(self, recipients=(OURS,)):
        await self.ask("MAIL FROM:<>")
        return [await self.ask(f"RCPT TO:<{one}>") for one in recipients]


@asynccontextmanager
async def line(listener):
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    found = Line(reader, writer)
    try:
        assert (await found.heard()).startswith("220 ")
        await found.ask("LHLO mail.vt.example")
        yield found
    finally:
        writer.close()


# --- a mail ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [MAIL, b"A: b\r\n\r\n.\r\n..\r\n.x\r\n", b"A: b\r\n\r\n" + b"x" * 90_000 + b"\r\n", b""],
)
async def test_a_mail_comes_in_octet_by_octet(desk, octets):
    async with listening(desk) as listener:
        refused = await posted(listener, octets)

    (mail,) = desk.taken
    assert (mail.octets, mail.sender, mail.at) == (octets or b"\r\n", "a@b.example", AT)
    assert refused == {}


async def test_a_notification_has_no_sender(desk):
    async with listening(desk) as listener:
        await posted(listener, sender="")

    assert desk.taken[0].sender == ""


async def test_our_address_is_ours_whatever_its_case(desk):
    async with listening(desk) as listener:
        await posted(listener, recipients=(OURS.upper(),))

    assert len(desk.taken) == 1


async def test_each_recipient_gets_an_answer_and_one_that_is_not_ours_is_refused(desk):
    async with listening(desk) as listener, line(listener) as server:
        said = await server.envelope((OURS, "ander@vt.example", OURS))
        await server.ask("DATA")
        await server.say(MAIL + b".\r\n")
        answers = [await server.heard(), await server.heard()]
        after = await server.ask("NOOP")

    assert [one[:3] for one in said] == ["250", "550", "250"]
    assert [one[:3] for one in answers] == ["250", "250"]
    assert after.startswith("250")
    assert len(desk.taken) == 1


async def test_nobody_of_ours_means_no_mail(desk):
    async with listening(desk) as listener:
        with pytest.raises(SMTPRecipientsRefused) as caught:
            await posted(listener, recipients=("ander@vt.example",))

    assert caught.value.recipients["ander@vt.example"][0] == 550
    assert desk.taken == []


async def test_a_connection_brings_more_than_one_mail_and_commands_may_be_pipelined(desk):
    async with listening(desk) as listener, line(listener) as server:
        one = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<%b>\r\nDATA\r\n" % OURS.encode()
        await server.say((one + MAIL + b".\r\n") * 2 + b"QUIT\r\n")
        answers = [(await server.heard())[:3] for _ in range(9)]

    assert answers == ["250", "250", "354", "250"] * 2 + ["221"]
    assert [mail.octets for mail in desk.taken] == [MAIL, MAIL]


# --- not now: the mail server keeps it ------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("store.gone", "gone"), 451),
        (OutcomeUnknown("store.unknown", "maybe"), 451),
        (Misconfigured("keys.missing", "no key"), 451),
        (Unavailable(FULL, "full"), 452),
        (RuntimeError("a bug"), 451),
    ],
)
async def test_what_was_not_committed_stays_with_the_mail_server(desk, error, code):
    desk.error = error
    async with listening(desk) as listener:
        with pytest.raises(SMTPDataError) as caught:
            await posted(listener)

    assert caught.value.smtp_code == code


async def test_without_a_mailbox_mail_waits(desk):
    desk.box = None
    async with listening(desk) as listener:
        with pytest.raises(SMTPSenderRefused) as caught:
            await posted(listener)

    assert caught.value.smtp_code == 451


async def test_a_mail_that_stops_halfway_is_no_mail(desk):
    async with listening(desk) as listener, line(listener) as server:
        await server.envelope()
        await server.ask("DATA")
        await server.say(MAIL)

    assert desk.taken == []


@pytest.mark.parametrize("end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r\n"])
async def test_only_a_line_with_a_dot_alone_ends_a_mail(desk, end):
    smuggled = MAIL[:-2] + end + b"MAIL FROM:<x@y.example>\r\n"
    async with listening(desk) as listener, line(listener) as server:
        await server.envelope()
        await server.ask("DATA")
        await server.say(smuggled + b".\r\n")
        assert (await server.heard()).startswith("250")
        assert (await server.ask("QUIT")).startswith("221")

    assert len(desk.taken) == 1


async def test_a_stop_answers_the_mail_under_way_and_cuts_the_rest(desk):
    desk.gate.clear()
    async with listening(desk) as listener, line(listener), line(listener) as busy:
        await busy.envelope()
        await busy.ask("DATA")
        await busy.say(MAIL + b".\r\n")
        stopping = asyncio.create_task(listener.close())
        await asyncio.sleep(0)
        desk.gate.set()
        await stopping
        answer = await busy.heard()

    assert answer.startswith("250")
    assert len(desk.taken) == 1


# --- bounds ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [MOST - 1, MOST, MOST + 1, MOST * 3])
async def test_what_is_too_large_is_refused_for_good_and_kept_nowhere(desk, size):
    octets = b"x" * (size - 2) + b"\r\n"
    async with listening(desk) as listener, line(listener) as server:
        await server.envelope()
        await server.ask("DATA")
        await server.say(octets + b".\r\n")
        answer = await server.heard()
        after = await server.ask("NOOP")

    assert answer[:3] == ("250" if size <= MOST else "552")
    assert [len(mail.octets) for mail in desk.taken] == ([size] if size <= MOST else [])
    assert after.startswith("250")


async def test_what_says_to_be_too_large_is_refused_before_it_comes(desk):
    async with listening(desk) as listener, line(listener) as server:
        large = await server.ask(f"MAIL FROM:<> SIZE={MOST + 1}")
        fits = await server.ask(f"MAIL FROM:<> SIZE={MOST} BODY=8BITMIME")

    assert (large[:3], fits[:3]) == ("552", "250")


async def test_large_mails_take_turns_and_a_small_one_waits_for_none(desk):
    large = MAIL + b"x" * 1_000 + b"\r\n"
    desk.gate.clear()
    async with listening(desk, turns=Turns(large_bytes=1_000)) as listener:
        first = asyncio.create_task(posted(listener, large))
        assert await desk.begun.get() == len(large)
        async with line(listener) as second, line(listener) as third:
            for server, octets in ((second, large), (third, MAIL)):
                await server.envelope()
                await server.ask("DATA")
                await server.say(octets + b".\r\n")
            assert await desk.begun.get() == len(MAIL)
            assert desk.begun.empty()
            desk.gate.set()
            answers = [await second.heard(), await third.heard()]
        await first

    assert [one[:3] for one in answers] == ["250", "250"]
    assert await desk.begun.get() == len(large)


async def test_recipients_are_bounded(desk):
    async with listening(desk) as listener, line(listener) as server:
        said = await server.envelope((OURS,) * (RECIPIENTS + 1))

    assert [one[:3] for one in said] == ["250"] * RECIPIENTS + ["452"]


async def test_connections_are_bounded(desk):
    async with listening(desk, connections=1) as listener, line(listener):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        first = await reader.readline()
        writer.close()

    assert first.startswith(b"421 4.3.2")


async def test_commands_are_bounded(desk):
    async with listening(desk) as listener, line(listener) as server:
        await server.say(b"NOOP\r\n" * COMMANDS)
        answers = [(await server.heard())[:3] for _ in range(COMMANDS)]

    assert answers[-2:] == ["250", "421"]


async def test_who_says_nothing_is_left(desk):
    async with listening(desk, patience=Patience(idle=SHORT)) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        server = Line(reader, writer)
        said = [await server.heard(), await server.heard()]
        writer.close()

    assert [one[:3] for one in said] == ["220", "421"]


async def test_a_mail_that_does_not_go_on_is_left(desk):
    async with listening(desk, patience=Patience(mail=SHORT)) as listener, line(listener) as server:
        await server.envelope()
        await server.ask("DATA")
        await server.say(MAIL)
        assert (await server.heard()).startswith("421")

    assert desk.taken == []


async def test_a_line_without_end_is_not_waited_for(desk):
    async with listening(desk) as listener, line(listener) as server:
        await server.say(b"x" * (LONGEST_LINE * 3))

        assert await server.heard() == ""


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (("EHLO x",), "500"),
        (("HELO x",), "500"),
        (("VRFY root",), "500"),
        (("RCPT TO:<a@b.example>",), "503"),
        (("DATA",), "503"),
        (("MAIL FROM:<a@b.example>", "MAIL FROM:<a@b.example>"), "503"),
        (("MAIL FROM:<a@b.example>", "DATA"), "503"),
        (("MAIL FROM:<a@b.example>", "RSET", f"RCPT TO:<{OURS}>"), "503"),
        (("MAIL TO:<a@b.example>",), "501"),
        (("MAIL FROM:a@b.example",), "501"),
        (("MAIL FROM:<a b>",), "501"),
        (("MAIL FROM:<>", f"RCPT FROM:<{OURS}>"), "501"),
        (("MAIL FROM:<>", f"RCPT TO:<{OURS}>", "DATA now"), "503"),
    ],
)
async def test_what_is_out_of_turn_or_no_lmtp_is_refused(desk, commands, code):
    async with listening(desk) as listener, line(listener) as server:
        *_, last = [await server.ask(command) for command in commands]

    assert last[:3] == code


async def test_who_does_not_greet_can_say_nothing(desk):
    async with listening(desk) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        server = Line(reader, writer)
        await server.heard()
        answer = await server.ask("MAIL FROM:<a@b.example>")
        writer.close()

    assert answer.startswith("503")


# --- where it listens -----------------------------------------------------------------


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_unix_socket_is_for_our_own_user_alone(desk, tmp_path):
    path = tmp_path / "lmtp.sock"
    async with listening(desk, Place(path=path)):
        assert mode(path) == 0o600
        reader, writer = await asyncio.open_unix_connection(path)
        assert (await reader.readline()).startswith(b"220")
        writer.close()

    assert not path.exists()


async def test_a_group_may_be_let_in(desk, tmp_path):
    path = tmp_path / "lmtp.sock"
    group = grp.getgrgid(os.getgid()).gr_name
    async with listening(desk, Place(path=path, group=group)):
        assert (mode(path), path.stat().st_gid) == (0o660, os.getgid())


async def test_the_socket_of_a_crash_is_replaced_and_that_of_another_process_is_not(desk, tmp_path):
    path = tmp_path / "lmtp.sock"
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(path))
    async with listening(desk, Place(path=path)):
        with pytest.raises(Misconfigured) as caught:
            async with listening(desk, Place(path=path)):
                pass

    assert caught.value.code == "lmtp.socket"


@pytest.mark.parametrize(
    "place",
    [
        lambda folder: Place(path=folder / "nowhere" / "lmtp.sock"),
        lambda folder: Place(path=folder / "lmtp.sock", group="geen-groep"),
        lambda _: Place(host="192.0.2.1"),
    ],
)
async def test_what_can_not_be_opened_stops_the_start(desk, tmp_path, place):
    with pytest.raises(Misconfigured) as caught:
        async with listening(desk, place(tmp_path)):
            pass

    assert caught.value.code == "lmtp.socket"
