"""Which pack judges what, for whom and when."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue import Catalogue, Direction, MessageKind, Role
from gateway.errors import Misconfigured
from gateway.installation_packs import with_activated
from gateway.message import Oin
from gateway.packs.activations import check_moments, read_activations, to_toml
from gateway.packs.choosing import Scope, Wish, check_unneeded, chosen, running
from gateway.schemapack import Activation, Activations, PackMessage, SchemaPack
from tests.packs import AT, activation

NAME, VERSION = "vtMeldingDi01", "1.0.9"
POLITIE, HALT = Oin("00000001003214345000"), Oin("00000004000000005000")
HOUR = timedelta(hours=1)


def pack(name: str = "oud", version: str = VERSION, *more: PackMessage) -> SchemaPack:
    messages = (PackMessage(name=NAME, namespace="urn:jz", entry="a.xsd"), *more)
    return SchemaPack(
        name=name,
        version=version,
        folder=Path("/packs") / name,
        files={},
        messages=messages,
        digest="0" * 64,
    )


OLD, NEW = pack("oud"), pack("nieuw")


def judging(lines: tuple[Activation, ...], at=AT, partner: Oin = POLITIE) -> str | None:
    found = Activations(lines).choose(NAME, VERSION, partner=partner, at=at)
    return found.pack if found else None


def kind(name: str, version: str = VERSION, namespace: str = "urn:jz") -> MessageKind:
    return MessageKind(
        name=name,
        version=version,
        namespace=namespace,
        schema="a.xsd",
        directions=frozenset({Direction(Role.POLITIE, Role.VEILIG_THUIS)}),
    )


CATALOGUE = Catalogue({(NAME, VERSION): kind(NAME)})


def test_without_an_activation_no_pack_judges():
    assert judging(()) is None
    assert judging((activation(OLD, version="1.0.7"),)) is None


def test_the_old_judges_until_the_moment_and_the_new_from_it():
    lines = (activation(OLD), activation(NEW, since=AT + HOUR))
    moment = AT + HOUR

    assert judging(lines, AT - timedelta(microseconds=1)) is None
    assert judging(lines, moment - timedelta(microseconds=1)) == "oud"
    assert judging(lines, moment) == "nieuw"


def test_a_pack_for_a_while_is_relieved_by_the_one_before():
    lines = (activation(OLD), activation(NEW, since=AT + HOUR, until=AT + 2 * HOUR))

    assert [judging(lines, AT + n * HOUR) for n in range(3)] == ["oud", "nieuw", "oud"]


def test_a_partner_may_have_another_pack():
    lines = (activation(OLD, since=AT + HOUR), activation(NEW, partner=HALT))

    assert judging(lines, AT + HOUR, HALT) == "nieuw"
    assert judging(lines, AT + HOUR, POLITIE) == "oud"
    assert judging(lines, AT, POLITIE) is None


HOURS = st.integers(0, 6).map(lambda n: AT + n * HOUR)
LINES = st.lists(
    st.tuples(st.sampled_from([OLD, NEW]), HOURS, st.none() | HOURS, st.sampled_from([None, HALT])),
    max_size=5,
    unique_by=lambda line: (line[1], line[3]),
).map(
    lambda found: tuple(
        activation(p, since=since, until=until, partner=partner)
        for p, since, until, partner in found
        if until is None or until > since
    )
)


@given(LINES, st.integers(0, 6))
def test_what_is_not_needed_never_judges_again(lines, hours):
    moment = AT + hours * HOUR
    needed = Activations(lines).needed(moment)

    for later in range(8):
        for partner in (POLITIE, HALT):
            at = max(moment, AT + later * HOUR)
            found = Activations(lines).choose(NAME, VERSION, partner=partner, at=at)
            assert found is None or found in needed


@given(LINES, st.integers(0, 6))
def test_what_was_ended_judges_nothing_from_then_and_the_same_before(lines, hours):
    moment = AT + hours * HOUR
    before = Activations(lines)
    ending = tuple(line for line in lines if line.pack == "nieuw")
    after = before.ended(ending, moment)

    for later in range(8):
        at = AT + later * HOUR
        was = before.choose(NAME, VERSION, partner=HALT, at=at)
        found = after.choose(NAME, VERSION, partner=HALT, at=at)
        if at < moment:
            assert (found and found.pack) == (was and was.pack)
        else:
            assert found is None or found.pack == "oud"


@given(LINES)
def test_the_file_says_what_was_written(tmp_path_factory, lines):
    file = tmp_path_factory.mktemp("packs") / "activations.toml"
    file.write_text(to_toml(Activations(lines)))

    read, octets = read_activations(file)

    assert set(read.lines) == set(lines)
    assert octets == file.read_bytes()


def test_a_file_with_a_typo_stops_the_start(tmp_path):
    file = tmp_path / "activations.toml"
    file.write_text(to_toml(Activations((activation(OLD),))).replace("vanaf", "vanaff"))

    with pytest.raises(Misconfigured) as caught:
        read_activations(file)

    assert caught.value.code == "config.invalid"


def test_two_of_the_same_subject_may_not_begin_at_once():
    lines = Activations((activation(OLD), activation(NEW)))

    with pytest.raises(Misconfigured) as caught:
        check_moments(lines, where="")

    assert caught.value.code == "pack.overlap"


def test_one_that_ends_before_it_begins_is_refused():
    with pytest.raises(Misconfigured) as caught:
        check_moments(Activations((activation(OLD, until=AT),)), where="")

    assert caught.value.code == "pack.moment"


# --- what somebody asks for -------------------------------------------------------------


def wish(**given: object) -> Wish:
    base = {
        "version": VERSION,
        "since": AT,
        "until": None,
        "partner": None,
        "messages": (),
        "entry": "",
        "by": "tester",
        "at": AT,
    }
    return Wish(**(base | given))


WITH_MORE = pack("meer", "1.0.9", PackMessage(name="vtoDi01", namespace="urn:jz", entry="a.xsd"))
TWICE = pack("twee", "1.0.9", PackMessage(name=NAME, namespace="urn:jz", entry="b/a.xsd"))


def test_a_message_that_the_catalogue_lacks_is_told_and_left_out():
    found = chosen(WITH_MORE, wish(), CATALOGUE)

    assert [line.message for line in found.lines] == [NAME]
    assert found.unknown == ("vtoDi01",)


def test_a_message_in_several_xsds_waits_for_a_choice():
    with pytest.raises(Misconfigured) as caught:
        chosen(TWICE, wish(messages=(NAME,)), CATALOGUE)

    assert caught.value.code == "pack.entry"
    assert chosen(TWICE, wish(entry="b/a.xsd"), CATALOGUE).lines[0].entry == "b/a.xsd"


@pytest.mark.parametrize(
    "asked", [{"messages": ("vtoDi01",)}, {"entry": "elders.xsd"}], ids=["message", "entry"]
)
def test_what_the_pack_does_not_have_is_refused(asked):
    with pytest.raises(Misconfigured) as caught:
        chosen(OLD, wish(**asked), CATALOGUE)

    assert caught.value.code == "pack.message"


def test_a_pack_of_unknown_messages_only_is_refused():
    with pytest.raises(Misconfigured) as caught:
        chosen(OLD, wish(), Catalogue({}))

    assert caught.value.code == "pack.message"


def test_a_pack_that_is_needed_later_may_not_go():
    lines = Activations((activation(OLD), activation(NEW, since=AT + HOUR, until=AT + 2 * HOUR)))

    with pytest.raises(Misconfigured) as caught:
        check_unneeded(lines, "oud", AT + HOUR)

    assert caught.value.code == "pack.needed"
    check_unneeded(lines, "nieuw", AT + 2 * HOUR)


def test_only_what_still_judges_can_be_ended():
    lines = Activations((activation(OLD), activation(NEW, partner=HALT)))

    assert running(lines, Scope(pack="nieuw", partner=HALT), AT) == lines.lines[1:]
    for nothing in (Scope(pack="nieuw", version="1.0.7"), Scope(pack="weg")):
        with pytest.raises(Misconfigured) as caught:
            running(lines, nothing, AT)

        assert caught.value.code == "pack.inactive"


# --- the catalogue ---------------------------------------------------------------------


def test_a_new_version_goes_between_the_same_parties():
    lines = Activations((activation(pack("later", "1.0.10")),))

    found = with_activated(CATALOGUE, lines, {"later": pack("later", "1.0.10")})

    assert found.versions(NAME) == ("1.0.9", "1.0.10")
    assert found.kinds[NAME, "1.0.10"].directions == CATALOGUE.kinds[NAME, VERSION].directions
    assert found.kinds[NAME, "1.0.10"].schema == ""


@pytest.mark.parametrize(
    ("catalogue", "code"),
    [
        (Catalogue({}), "pack.catalogue"),
        (Catalogue({(NAME, VERSION): kind(NAME, namespace="urn:x")}), "pack.namespace"),
    ],
)
def test_a_message_that_does_not_fit_the_catalogue_stops_the_start(catalogue, code):
    with pytest.raises(Misconfigured) as caught:
        with_activated(catalogue, Activations((activation(OLD),)), {"oud": OLD})

    assert caught.value.code == code
