"""What other programs write otherwise, and every one of them may: it is read all the same."""

import pytest
import pytest_asyncio

from gateway.lifecycle import State
from tests.interop.crossing import crossing, melding
from tests.interop.santuario import digests, payload

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVELOPES = {
    "prefixes": {"soap": "SOAP-ENV", "eb": "ns2", "ds": "ns3"},
    "upper and lower case": {"soap": "S12", "eb": "ebXML", "ds": "Ds"},
    "default namespace": {"eb": ""},
    "signature in the default namespace": {"ds": ""},
    "on one line": {"pretty": False},
    "no XML declaration": {"declaration": False},
    "descriptions": {"extras": True},
}
SIGNATURES = {
    "exclusive": {"canonical": "exclusive"},
    "exclusive with a PrefixList": {"canonical": "prefixes"},
    "inclusive in the default namespace": {"eb": "", "ds": "", "canonical": "inclusive"},
    "exclusive in the default namespace": {"eb": "", "ds": "", "canonical": "exclusive"},
    "without the XPath filter": {"filter": False},
    "certificate alone": {"keyValue": False},
    "base64 without &#13;": {"carriageReturns": False},
    "SHA-384": {"hash": "sha384"},
    "SHA-512": {"hash": "sha512"},
}
ENCRYPTIONS = {
    "OAEP of 2001": {"transport": "mgf1p"},
    "OAEP of 1.1 with SHA-1": {"transport": "oaep-sha1"},
    "OAEP of 1.1 with SHA-256": {"transport": "oaep-sha256"},
    "AES-128": {"cipher": "aes128-gcm"},
    "no Id": {"encryptedId": ""},
    "Id that is a UUID": {"encryptedId": "0b1f9f6e-3d6c-4a53-9a4e-6f3a8e2f9d11"},
}
PACKAGES = {
    "parameters without quotes": {"quoted": False},
    "Content-ID without brackets": {"brackets": False},
    "no start-info": {"startInfo": False},
    "no Content-Disposition": {"disposition": False},
    "preamble and epilogue": {"preamble": True},
    "headers folded, in small letters": {"folded": True},
    "base64": {"encoding": "base64"},
    "BASE64": {"encoding": "BASE64"},
    "quoted-printable": {"encoding": "quoted-printable"},
    "binary": {"encoding": "binary"},
    "8bit": {"encoding": "8bit"},
}
TRANSPORTS = {
    "chunked": {"http": "chunked"},
    "Expect: 100-continue": {"http": "expect"},
    "HTTP/1.0": {"http": "1.0"},
    "ALPN h2 offered": {"http": "h2"},
    "TLS 1.2": {"tls": "TLSv1.2"},
    "SOAPAction without quotes": {"quotedAction": False},
}
ALL = ENVELOPES | SIGNATURES | ENCRYPTIONS | PACKAGES | TRANSPORTS


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory, places):
    async with crossing(tmp_path_factory.mktemp("crossing"), places) as made:
        yield made


async def crosses(both, reference, **message):
    """Send a melding, and see it through to the other side and back."""
    octets = melding(reference)
    both.refused.clear()
    sent = await both.send(octets, **message)
    await both.settle()

    assert (sent["status"], sent.get("answer"), both.refused) == (204, None, [])
    (ack,), (arrived,) = await both.politie.take(), await both.vt.take()
    assert ack["problem"] == ""
    assert digests(ack["acknowledged"]) == digests(sent["references"])
    assert payload(arrived) == octets
    assert (await both.delivery(reference)).state is State.DELIVERED
    return sent


@pytest.mark.parametrize("how", ALL)
async def test_a_melding_is_read_however_it_is_written(both, how):
    sent = await crosses(both, f"{list(ALL).index(how)}-ref", dialect=ALL[how])

    # What was asked for is what was done: the JDK says so.
    assert sent["protocol"] == ("HTTP/1.0" if how == "HTTP/1.0" else "HTTP_1_1")


@pytest.mark.parametrize("content_id", ["0b1f9f6e-3d6c-4a53-9a4e-6f3a8e2f9d11", "a+b%20c@d", "1"])
async def test_a_part_may_have_any_content_id(both, content_id):
    await crosses(both, f"id-{content_id}"[:40], contentIds=[content_id])


# --- acknowledgements -----------------------------------------------------------------


@pytest.mark.parametrize(
    "how", [*ENVELOPES, *SIGNATURES, "chunked", "Expect: 100-continue", "HTTP/1.0", "TLS 1.2"]
)
async def test_an_acknowledgement_is_read_however_it_is_written(both, how):
    dialect = ALL[how]
    await both.vt.agree(dialect=dialect)
    try:
        await crosses(both, f"ack-{list(ALL).index(how)}")
    finally:
        await both.vt.agree(dialect={})


async def test_an_acknowledgement_may_come_as_a_package_of_one_part(both):
    await both.vt.agree(dialect={"packedSignals": True})
    try:
        await crosses(both, "ack-packed")
    finally:
        await both.vt.agree(dialect={})
