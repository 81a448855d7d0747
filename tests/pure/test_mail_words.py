"""What a person reads above a letter."""

from gateway.installation import load_catalogue, share
from gateway.pipeline.mail_words import title_of, why_by_mail


def test_every_message_that_goes_by_mail_has_a_name_in_words():
    kinds = load_catalogue(share("config") / "catalogue.toml").kinds.values()

    assert {one.name for one in kinds if not one.answer and title_of(one.name) == one.name} == set()


def test_the_name_of_the_systems_stands_behind_it_and_alone_where_there_are_no_words():
    assert title_of("vtMeldingDi01") == "Melding aan Veilig Thuis (vtMeldingDi01)"
    assert title_of("nieuwDi01") == "nieuwDi01"


def test_a_ground_is_one_line_whatever_was_typed():
    (_, ground) = why_by_mail("acuut\r\ngevaar\u2028voor een kind ")

    assert ground == "Grond: acuut gevaar voor een kind"


def test_without_a_ground_it_is_the_route():
    (only,) = why_by_mail("")

    assert "spoed" not in only
    assert "geen andere digitale weg" in only
