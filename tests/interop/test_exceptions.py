"""What Digikoppeling forbids and one partner may still use, against Santuario, both ways."""

import pytest
import pytest_asyncio

from gateway.config_algorithms import Weakness
from gateway.lifecycle import State
from gateway.security.algorithms import AES128_CBC, AES256_CBC, AES256_GCM, RSA_15
from tests.flow.town import HUB
from tests.interop.crossing import crossing, melding
from tests.interop.santuario import payload

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEAK = {
    "RSA-1.5": {"transport": "rsa-1_5"},
    "AES-128-CBC": {"cipher": "aes128-cbc"},
    "AES-256-CBC": {"cipher": "aes256-cbc"},
    "RSA-1.5 and CBC": {"transport": "rsa-1_5", "cipher": "aes256-cbc"},
    "3DES": {"cipher": "tripledes-cbc"},
    "SHA-1": {"hash": "sha1"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def excepted(tmp_path_factory, places):
    async with crossing(tmp_path_factory.mktemp("with"), places, excepts=Weakness) as made:
        yield made


@pytest.mark.parametrize("how", WEAK)
async def test_it_is_read_under_an_exception_and_passed_on_as_strongly_as_ever(excepted, how):
    reference, octets = f"weak-{list(WEAK).index(how)}", melding(f"weak-{list(WEAK).index(how)}")
    sent = await excepted.send(octets, dialect=WEAK[how])
    await excepted.settle()

    (arrived,) = await excepted.vt.take()
    assert (sent["status"], excepted.refused, arrived["problem"]) == (204, [], "")
    assert payload(arrived) == octets
    assert arrived["encrypted"] == ["aes256-gcm", "rsa-oaep"]
    assert (await excepted.delivery(reference)).state is State.DELIVERED


@pytest.mark.parametrize("how", WEAK)
async def test_it_is_refused_without_one(tmp_path, places, how):
    async with crossing(tmp_path, places) as both:
        sent = await both.send(melding(), dialect=WEAK[how])
        (told,) = [sent["answer"]] if sent.get("answer") else await both.politie.take()

        assert [one["code"] for one in told["errors"]] == ["SecurityFailure"]
        expected = "signature.algorithm" if how == "SHA-1" else "decryption.algorithm"
        assert both.refused == [expected]
        assert await both.town[HUB].message("ref-1") is None


@pytest.mark.parametrize(
    ("algorithm", "transport", "written"),
    [
        (AES256_GCM, RSA_15, ["aes256-gcm", "rsa-1_5"]),
        (AES256_CBC, "", ["aes256-cbc", "rsa-oaep"]),
        (AES128_CBC, RSA_15, ["aes128-cbc", "rsa-1_5"]),
    ],
)
async def test_what_we_write_under_one_is_read(tmp_path, places, algorithm, transport, written):
    octets, way = melding(), {"algorithm": algorithm, "key_transport": transport}
    async with crossing(tmp_path, places, encrypts=way, excepts=Weakness) as both:
        await both.send(octets)
        await both.settle()

        (arrived,) = await both.vt.take()
        assert (arrived["problem"], arrived["encrypted"]) == ("", written)
        assert payload(arrived) == octets
        assert (await both.delivery()).state is State.DELIVERED
