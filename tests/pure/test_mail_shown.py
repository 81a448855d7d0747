"""What a person may look at of a mail that nobody proved: text and files, nothing that acts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Malformed
from gateway.wire.mail_make import entity
from gateway.wire.mail_read import MailLimits
from gateway.wire.mail_shown import LONGEST_FIELD, LONGEST_TEXT, part_of, show_mail

LIMITS = MailLimits(octets=200_000)
HTML = b"Content-Type: text/html\r\n\r\n<script>alert(1)</script>\r\n"


def shown(octets):
    return show_mail(octets, LIMITS)


def multipart(*parts):
    lines = b"".join(b"--g\r\n%b\r\n" % part for part in parts)
    return b"Content-Type: multipart/mixed; boundary=g\r\n\r\n" + lines + b"--g--\r\n"


def mail(body=b"hallo", head=b"From: A <a@b.example>\r\n"):
    return head + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body


def test_fields_and_text_are_shown_as_somebody_wrote_them():
    found = shown(mail(b"regel 1\r\nregel 2", b"From: A <a@b.example>\r\nSubject: Vraag\r\n"))

    assert (found.sender, found.subject, found.text) == (
        "A <a@b.example>",
        "Vraag",
        "regel 1\nregel 2",
    )
    assert found.whole
    assert found.readable
    assert found.parts == ()


def test_words_in_another_script_are_read():
    subject = "=?utf-8?q?Pati=C3=ABnt?="

    assert shown(mail(head=f"Subject: {subject}\r\n".encode())).subject == "Patiënt"


@pytest.mark.parametrize(
    "subject",
    ["=?geen?q?x?=", "=?é?q?x?=", "=?utf-8?b?@@@?=", "=?utf-8?q?=FF?=", "=?x", "=?utf-8?q??="],
)
def test_words_that_can_not_be_read_do_no_harm(subject):
    assert shown(mail(head=f"Subject: {subject}\r\n".encode())).readable


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\x1b", "\x00", "\u2066"])
def test_what_can_not_be_seen_is_shown_as_a_sign(sign):
    text = shown(mail(f"voor{sign}na".encode())).text
    name = entity({}, b"x", kind="application/pdf", name="a.pdf")
    named = name.replace(b"a.pdf", f"a{sign}fdp.exe".encode())

    assert text == "voor\ufffdna"
    if sign not in "\x00\x1b":
        (part,) = shown(multipart(named)).parts
        assert sign not in part.name


def test_html_is_a_file_and_never_text():
    found = shown(multipart(HTML, b"Content-Type: text/plain\r\n\r\ngewoon"))

    assert found.text == "gewoon"
    ((part,)) = found.parts
    assert (part.n, part.kind) == (1, "text/html")
    kind, octets = part_of(multipart(HTML), 1, LIMITS)
    assert (kind, octets.strip()) == ("text/html", b"<script>alert(1)</script>")


def test_a_text_that_is_attached_is_a_file():
    head = b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n"
    attached = head + b"\r\nx"

    found = shown(multipart(attached))

    assert found.text == ""
    assert [part.name for part in found.parts] == ["a.txt"]


def test_what_is_long_is_cut_and_says_so():
    found = shown(mail(b"x" * (LONGEST_TEXT + 1), b"Subject: " + b"y" * 900 + b"\r\n"))

    assert len(found.text) == LONGEST_TEXT
    assert not found.whole
    assert len(found.subject) == LONGEST_FIELD


@pytest.mark.parametrize("octets", [b"", b"\xff\x00", b"x" * 300_000, multipart(*[HTML] * 101)])
def test_what_can_not_be_taken_apart_is_a_file_only(octets):
    found = shown(octets)

    assert not found.readable
    assert (found.text, found.parts) == ("", ())


def test_a_part_that_is_broken_is_still_listed():
    broken = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n@@@"

    (part,) = shown(multipart(broken)).parts

    assert part.kind == "application/pdf"
    with pytest.raises(Malformed):
        part_of(multipart(broken), 1, LIMITS)


def test_a_part_that_says_twice_how_it_is_meant_is_a_file():
    twice = b"Content-Type: text/plain\r\n" + b"Content-Disposition: inline\r\n" * 2 + b"\r\nx"

    (part,) = shown(multipart(twice)).parts

    assert (part.name, part.kind) == ("", "text/plain")


def test_there_is_no_other_part():
    with pytest.raises(Malformed) as caught:
        part_of(multipart(HTML), 2, LIMITS)

    assert caught.value.code == "smime.parts"


@given(st.binary(max_size=300), st.sampled_from([b"", b"From: a\r\n\r\n", multipart(HTML)[:60]]))
def test_whatever_comes_something_is_shown(octets, before):
    found = shown(before + octets)

    assert all(c.isprintable() or c == "\n" for c in found.text)
