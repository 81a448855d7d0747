"""What `make fuzz` stands on: its targets take their seeds, and its judge sees what is wrong."""

import pytest

from gateway.errors import Malformed
from gateway.security import dsig
from gateway.security.smime import signed
from tests.fuzz.changes import CANARY
from tests.fuzz.choices import Choices
from tests.fuzz.findings import Findings, read_finding
from tests.fuzz.table import TABLE
from tests.fuzz.target import Broken, Outcome, Target, judge


@pytest.mark.parametrize("target", TABLE.values(), ids=TABLE)
def test_a_target_takes_in_its_first_seed_and_judges_all(target):
    outcomes = [judge(target, octets) for octets in target.seeds()]

    assert outcomes[0] is Outcome.TAKEN


@pytest.mark.parametrize("target", TABLE.values(), ids=TABLE)
def test_a_change_of_a_seed_is_the_same_each_time(target):
    seed = next(iter(target.seeds()))
    once, again = (target.change(seed, Choices(bytes(range(1, 99)))) for _ in range(2))

    assert once == again != seed


# --- what opens is held against what was signed ---------------------------------------


CHANGED_PAYLOAD = bytes((1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 10))
FORGED = bytes((1, 0, 4))
CHANGED_MAIL = bytes((0, 0, 0, 5, 0, 0, 1))


@pytest.mark.parametrize(
    ("name", "octets", "module", "check"),
    [
        ("open", CHANGED_PAYLOAD, dsig, "_check_digest"),
        ("open", FORGED, dsig, "verify_value"),
        ("smime", CHANGED_MAIL, signed, "_check"),
    ],
)
def test_without_a_check_something_opens_that_was_not_signed(
    name, octets, module, check, monkeypatch
):
    assert judge(TABLE[name], octets) is Outcome.REFUSED

    monkeypatch.setattr(module, check, lambda *_given, **_named: None)
    with pytest.raises(Broken):
        judge(TABLE[name], octets)


# --- the judge ------------------------------------------------------------------------


def raising(error):
    def run(_octets):
        raise error

    raises = ((Malformed, ("xml.",)),)
    return Target(name="x", run=run, seeds=lambda: (b"",), raises=raises)


def test_what_is_promised_is_a_refusal():
    assert judge(raising(Malformed("xml.depth", "too deep")), b"") is Outcome.REFUSED


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no error of ours"),
        Malformed("mime.part", "not promised"),
        Broken("taken in wrongly"),
        Malformed("xml.depth", "a value", where=f"/{CANARY}"),
    ],
    ids=str,
)
def test_anything_else_is_a_finding(error):
    with pytest.raises((Broken, ValueError)):
        judge(raising(error), b"")


def test_a_finding_is_written_once_and_can_be_judged_again(tmp_path):
    findings, target = Findings(tmp_path), TABLE["xml"]
    for octets in (b"<a/>", b"<b/>"):
        try:
            judge(raising(ValueError("wrong")), octets)
        except ValueError as error:
            findings.add(target, octets, error)
    (path,) = tmp_path.iterdir()

    assert read_finding(path) == (target, b"<a/>")
    assert "ValueError: wrong" in path.read_text()
