"""Webhooks in gateway.toml: what loads, and what stops the start."""

import pytest

from gateway.cli.doctor_webhooks import webhooks
from gateway.config import WebhookEvent
from gateway.errors import Misconfigured
from gateway.installation import load_directory, load_installation
from gateway.installation_webhooks import subscribers
from gateway.security.webhook import write_secret
from tests.installations import installed

SECTION = '[webhooks]\ntoegestaan = ["10.1.2.0/24", "hook.example:443"]\n'
HOOK = """
[[backends.webhooks]]
naam = "bvh-1"
url = "https://hook.example/in"
secret_files = ["one.whsec"]
gebeurtenissen = ["postvak.nieuw"]
applicaties = ["BVH"]
"""
PATH = "backends.bvh.webhooks.bvh-1"


@pytest.fixture
def folder(tmp_path):
    installed(tmp_path)
    for n, name in enumerate(("one", "two")):
        file = tmp_path / f"{name}.whsec"
        file.write_text(write_secret(bytes([n]) * 32) + "\n")
        file.chmod(0o600)
    return tmp_path


def load(folder, *, section=SECTION, hook=HOOK):
    file = folder / "gateway.toml"
    head, _, tail = file.read_text().partition("[[partijen]]")
    file.write_text(f"{head}{section}\n[[partijen]]{tail}{hook}")
    return load_directory(load_installation(folder), epoch=1)


def refusal(folder, **given) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        load(folder, **given)
    return caught.value


def test_a_webhook_is_read_with_its_secrets_and_they_are_not_shown(folder):
    hook = HOOK.replace('["one.whsec"]', '["two.whsec", "one.whsec"]')

    made = load(folder, hook=hook)

    (webhook,) = made.webhooks
    assert webhook.secrets == (bytes([1]) * 32, bytes(32))
    assert webhook.subscriber.events == {WebhookEvent.WAITING}
    assert (webhook.subscriber.backend, webhook.subscriber.applicaties) == ("bvh", {"BVH"})
    assert subscribers(load_installation(folder).settings) == (webhook.subscriber,)
    assert "secrets" not in repr(made)


def test_another_secret_is_another_directory(folder):
    before = load(folder).fingerprint
    (folder / "one.whsec").write_text(write_secret(bytes(range(32))))

    after = load_directory(load_installation(folder), epoch=1).fingerprint

    assert before != after


def test_without_any_nothing_is_read_or_allowed(folder):
    made = load(folder, section="", hook="")

    assert (made.webhooks, made.calling.toegestaan) == ((), ())


@pytest.mark.parametrize(
    ("section", "old", "new", "told"),
    [
        (SECTION, "applicaties", "aplicaties", "backends.0.webhooks.0.aplicaties"),
        (SECTION, '["BVH"]', '["Ander"]', f"({PATH}.applicaties)"),
        (SECTION, '["BVH"]', "[]", "backends.0.webhooks.0.applicaties: is leeg"),
        (SECTION, '["postvak.nieuw"]', "[]", "gebeurtenissen: is leeg"),
        (SECTION, "postvak.nieuw", "postvak.oud", "gebeurtenissen.0: is geen bekende keuze"),
        (SECTION, "postvak.nieuw", "webhook.proef", f"({PATH}.gebeurtenissen)"),
        (SECTION, '["one.whsec"]', "[]", "secret_files: is leeg"),
        (SECTION, '["one.whsec"]', '["a", "b", "c"]', "secret_files"),
        (SECTION, "bvh-1", "BVH 1", "naam: heeft niet de juiste vorm"),
        (SECTION, "https://", "http://", f"({PATH}.url)"),
        (SECTION, "https://", "https://a:b@", f"({PATH}.url)"),
        (SECTION, "hook.example", "127.1", f"({PATH}.url)"),
        ("[webhooks]\ntoegestaan = ['0.0.0.0/0']\n", "", "", "webhooks.toegestaan"),
        ("[webhooks]\ntoegestaan = ['hook.example']\n", "", "", "webhooks.toegestaan"),
        ("[webhooks]\nkey = 'k'\n", "", "", "webhooks.key"),
        ("[webhooks]\nkeep_hours = 71\n", "", "", "webhooks.keep_hours"),
        ("[webhooks]\ntotal_seconds = 61\n", "", "", "webhooks.total_seconds: is te groot"),
    ],
)  # fmt: skip
def test_what_does_not_fit_stops_the_start(folder, section, old, new, told):
    wrong = refusal(folder, section=section, hook=HOOK.replace(old, new))

    assert told in str(wrong)
    assert "a:b" not in str(wrong)


def test_two_webhooks_have_two_names(folder):
    assert "backends.webhooks.naam" in str(refusal(folder, hook=HOOK + HOOK))


def test_plain_http_is_for_tests_only(folder):
    unsafe = "[webhooks]\nunsafe_http_loopback = true\n"
    hook = HOOK.replace("https://hook.example", "http://localhost:8080")
    assert load(folder, section=unsafe, hook=hook).calling.unsafe_http_loopback
    file = folder / "gateway.toml"
    file.write_text(file.read_text().replace('omgeving = "test"', 'omgeving = "productie"'))

    with pytest.raises(Misconfigured) as caught:
        load_directory(load_installation(folder), epoch=1)

    assert caught.value.where == "webhooks.unsafe_http_loopback"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda file: file.chmod(0o640), "keys.permissions"),
        (lambda file: file.write_text("geheim"), "webhook.secret"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "webhook.secret"),
        (lambda file: file.unlink(), "config.missing"),
    ],
)
def test_a_secret_that_is_open_broken_or_gone_stops_the_start(folder, spoil, code):
    spoil(folder / "one.whsec")

    wrong = refusal(folder)

    assert (wrong.code, wrong.where.endswith("one.whsec")) == (code, True)
    assert "geheim" not in str(wrong).replace("geen geheim", "")


@pytest.mark.parametrize(
    "listed", ['"other.example:443"', '"hook.example:8443"', "", '"10.1.2.0/24"']
)
def test_doctor_tells_of_a_webhook_that_can_never_be_called(folder, listed):
    directory = load(folder, section=f"[webhooks]\ntoegestaan = [{listed}]\n")

    told = [text for mark, text in webhooks(load_installation(folder), directory) if mark == "✗"]

    wanted = "webhook bvh-1 wordt nooit aangeroepen: Deze host of dit adres staat niet in"
    assert [text.startswith(wanted) for text in told] == ([] if "/" in listed else [True])
