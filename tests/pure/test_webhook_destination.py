"""What a back-end's URL may be, and which addresses are called for it."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Misconfigured, PolicyViolation
from gateway.security.destination import Allowed, read_url

PUBLIC = ip_address("93.184.215.14")
URL = "https://hook.politie.example/in"
NAMED = ("hook.politie.example:443",)

WRONG = {
    "ftp": ("ftp://hook.example/", "webhook.scheme"),
    "file": ("file:///etc/passwd", "webhook.scheme"),
    "gopher": ("gopher://hook.example/", "webhook.scheme"),
    "no scheme": ("//hook.example/", "webhook.url"),
    "upper case scheme": ("HTTPS://hook.example/", "webhook.url"),
    "user": ("https://hook.example@169.254.169.254/", "webhook.userinfo"),
    "user and password": ("https://a:b@hook.example/", "webhook.userinfo"),
    "backslash before the host": ("https:\\\\hook.example/", "webhook.url"),
    "backslash behind the host": ("https://hook.example\\@169.254.169.254/", "webhook.url"),
    "fragment with another host": ("https://hook.example#@169.254.169.254/", "webhook.url"),
    "query without a path": ("https://hook.example?@169.254.169.254/", "webhook.url"),
    "space": ("https://hook.example/ x", "webhook.url"),
    "line feed": ("https://hook.example/\r\nX: y", "webhook.url"),
    "line feed at the end": ("https://hook.example/\n", "webhook.url"),
    "null": ("https://hook.example/\0", "webhook.url"),
    "percent in the host": ("https://127%2e0.0.1/", "webhook.url"),
    "wide digits": ("https://１２７.0.0.1/", "webhook.url"),
    "ideographic stop": ("https://127。0。0。1/", "webhook.url"),
    "decimal address": ("https://2130706433/", "webhook.host"),
    "hexadecimal address": ("https://0x7f000001/", "webhook.host"),
    "octal address": ("https://0177.0.0.1/", "webhook.host"),
    "short address": ("https://127.1/", "webhook.host"),
    "hexadecimal label": ("https://127.0.0.0x1/", "webhook.host"),
    "five labels": ("https://1.127.0.0.1/", "webhook.host"),
    "address with a dot behind it": ("https://127.0.0.1./", "webhook.host"),
    "name with a dot behind it": ("https://hook.example./", "webhook.host"),
    "empty label": ("https://hook..example/", "webhook.host"),
    "label with a dash first": ("https://-hook.example/", "webhook.host"),
    "IPv4 in brackets": ("https://[127.0.0.1]/", "webhook.host"),
    "zone": ("https://[fe80::1%25eth0]/", "webhook.url"),
    "no host": ("https:///in", "webhook.url"),
    "port 0": ("https://hook.example:0/", "webhook.url"),
    "port too high": ("https://hook.example:65536/", "webhook.url"),
    "port with a sign": ("https://hook.example:+443/", "webhook.url"),
    "two ports": ("https://hook.example:443:22/", "webhook.url"),
    "too long": ("https://hook.example/" + "a" * 2048, "webhook.url"),
}

FORBIDDEN = {
    "this network": "0.0.0.0",
    "this network, another": "0.1.2.3",
    "loopback": "127.0.0.1",
    "loopback, another": "127.8.8.8",
    "loopback in IPv6": "::1",
    "loopback mapped": "::ffff:127.0.0.1",
    "loopback compatible": "::7f00:1",
    "unspecified in IPv6": "::",
    "metadata": "169.254.169.254",
    "metadata mapped": "::ffff:169.254.169.254",
    "metadata in NAT64": "64:ff9b::a9fe:a9fe",
    "metadata in 6to4": "2002:a9fe:a9fe::1",
    "metadata of a cloud in IPv6": "fd00:ec2::254",
    "metadata in shared space": "100.100.100.200",
    "metadata in protocol assignments": "192.0.0.192",
    "link-local": "fe80::1",
    "site-local": "fec0::1",
    "Teredo": "2001:0:a9fe:a9fe::1",
    "private 10": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 192": "192.168.0.1",
    "private mapped": "::ffff:10.0.0.1",
    "unique local": "fd12:3456::1",
    "shared space": "100.64.0.1",
    "multicast": "224.0.0.1",
    "multicast in IPv6": "ff02::1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "documentation": "192.0.2.1",
    "benchmarking": "198.18.0.1",
}
EVERYTHING = [f"{n}.0.0.0/8" for n in range(256)] + ["fc00::/7", "fe00::/7", "::/8", "2000::/7"]


def refusal(work) -> str:
    with pytest.raises(PolicyViolation) as refused:
        work()
    return refused.value.code


@pytest.mark.parametrize(("url", "code"), WRONG.values(), ids=WRONG)
def test_a_url_that_could_be_read_in_two_ways_is_refused(url, code):
    assert refusal(lambda: read_url(url)) == code


@pytest.mark.parametrize(
    ("url", "again", "literal"),
    [
        ("https://hook.example", "https://hook.example:443/", False),
        ("https://Hook.Example:8443/a?b=c", "https://hook.example:8443/a?b=c", False),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example:443/", False),
        ("https://10.1.2.3:8443/x", "https://10.1.2.3:8443/x", True),
        ("https://[2001:DB8:0::1]/", "https://[2001:db8::1]:443/", True),
        ("http://localhost:80/%2e%2e/@", "http://localhost:80/%2e%2e/@", False),
    ],
)
def test_a_good_url_has_one_form(url, again, literal):
    to = read_url(url)

    assert (to.url, to.literal is not None) == (again, literal)
    assert read_url(to.url) == read_url(again)


@pytest.mark.parametrize("address", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_name_that_is_allowed_reaches_public_addresses_only(address):
    allowed = Allowed.read(NAMED)

    allowed.judge(read_url(URL), PUBLIC)

    assert refusal(lambda: allowed.judge(read_url(URL), ip_address(address))) == "webhook.address"


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
     "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "fe80::1", "fe80::1%eth0", "::7f00:1", "::",
     "224.0.0.1", "255.255.255.255", "2002:a9fe:a9fe::1"],
)  # fmt: skip
def test_some_addresses_are_called_by_nobody_whatever_is_allowed(address):
    allowed = Allowed.read(EVERYTHING)

    assert refusal(lambda: allowed.judge(read_url(URL), ip_address(address))) == "webhook.address"


def test_without_an_entry_nothing_is_called():
    code = refusal(lambda: Allowed.read(()).judge(read_url(URL), PUBLIC))

    assert code == "webhook.not_allowed"


@pytest.mark.parametrize(
    ("entry", "url", "address", "good"),
    [
        ("hook.politie.example:443", URL, "93.184.215.14", True),
        ("HOOK.politie.example:443", URL, "93.184.215.14", True),
        ("hook.politie.example:8443", URL, "93.184.215.14", False),
        ("politie.example:443", URL, "93.184.215.14", False),
        ("93.184.215.14:443", URL, "93.184.215.14", False),
        ("10.1.2.0/24", URL, "10.1.2.255", True),
        ("10.1.2.0/24", URL, "10.1.3.0", False),
        ("10.1.2.0/24", URL, "::ffff:10.1.2.3", True),
        ("10.1.2.0/24", "https://10.1.2.3:9/", "10.1.2.3", True),
        ("10.1.2.3:8443", "https://10.1.2.3:8443/", "10.1.2.3", True),
        ("10.1.2.3:8443", "https://10.1.2.3/", "10.1.2.3", False),
        ("127.0.0.0/8", "https://localhost/", "127.0.0.1", True),
        ("fd12::/64", URL, "fd12::5", True),
        ("[fd12::5]:443", "https://[fd12:0::5]/", "fd12::5", True),
        ("0:0:0:0:0:0:0:1/128", URL, "::1", True),
    ],
)
def test_an_entry_allows_what_it_says_and_no_more(entry, url, address, good):
    allowed, to = Allowed.read((entry,)), read_url(url)

    if good:
        allowed.judge(to, ip_address(address))
    else:
        assert refusal(lambda: allowed.judge(to, ip_address(address))) == "webhook.not_allowed"


@pytest.mark.parametrize(
    "entry",
    ["", "*", "*.example:443", "hook.example", "https://hook.example/", "0.0.0.0/0", "::/0",
     "10.0.0.0/7", "10.1.2.3/24", "hook.example:0", "2130706433:443", "2130706433/32",
     "a@b:443", "hook.example:443 "],
)  # fmt: skip
def test_an_entry_that_is_wide_or_unclear_stops_the_start(entry):
    with pytest.raises(Misconfigured) as refused:
        Allowed.read((entry,))

    assert refused.value.code == "webhook.allowed"


@pytest.mark.parametrize(
    ("url", "allowed", "code"),
    [
        ("https://hook.example/in", (), "webhook.not_allowed"),
        ("https://hook.example/in", ("hook.example:8443",), "webhook.not_allowed"),
        ("https://hook.example:8443/in", ("hook.example:8443",), ""),
        ("https://hook.example/in", ("10.1.0.0/16",), ""),
        ("https://10.1.2.3/in", ("10.1.0.0/16",), ""),
        ("https://10.2.2.3/in", ("10.1.0.0/16",), "webhook.not_allowed"),
        ("https://169.254.169.254/in", ("10.1.0.0/16",), "webhook.address"),
    ],
)
def test_what_can_never_be_called_is_known_beforehand(url, allowed, code):
    assert Allowed.read(allowed).never(read_url(url)) == code


def test_plain_http_goes_to_loopback_and_only_when_it_is_called_unsafe():
    to = read_url("http://localhost:8080/")
    loopback, other = ip_address("127.0.0.1"), ip_address("10.0.0.1")
    entries = ("127.0.0.0/8", "10.0.0.0/8")
    unsafe = Allowed.read(entries, unsafe_http_loopback=True)

    unsafe.judge(to, loopback)

    assert refusal(lambda: Allowed.read(entries).judge(to, loopback)) == "webhook.scheme"
    assert refusal(lambda: unsafe.judge(to, other)) == "webhook.scheme"
    closed = Allowed.read((), unsafe_http_loopback=True)
    assert refusal(lambda: closed.judge(to, loopback)) == "webhook.not_allowed"


@given(st.ip_addresses(v=4).filter(lambda a: not a.is_global))
def test_no_name_ever_reaches_what_is_not_public(address):
    mapped = IPv6Address(f"::ffff:{address}")
    allowed = Allowed.read(NAMED)

    for one in (address, mapped):
        assert refusal(lambda one=one: allowed.judge(read_url(URL), one)) == "webhook.address"


@given(st.ip_addresses(v=4), st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_an_address_in_disguise_is_judged_like_itself(one, other):
    allowed = Allowed.read(("10.0.0.0/8", *NAMED))
    to = read_url(URL)

    for address in (one, other):
        plain = outcome(allowed, to, address)
        assert outcome(allowed, to, IPv6Address(f"::ffff:{address}")) == plain
        six = IPv6Address(int(ip_network("64:ff9b::/96")[0]) + int(address))
        assert outcome(allowed, to, six) == "webhook.address"


@given(st.text(max_size=40).map(lambda text: f"https://{text}/"))
def test_any_text_is_a_url_with_one_meaning_or_is_refused(text):
    with suppress(PolicyViolation):
        to = read_url(text)

        assert read_url(to.url).url == to.url
        assert to.host.isascii()
        assert isinstance(to.literal, IPv4Address | IPv6Address | None)


def outcome(allowed, to, address) -> str:
    try:
        allowed.judge(to, address)
    except PolicyViolation as refused:
        return refused.code
    return "good"
