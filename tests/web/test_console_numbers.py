"""The numbers of compliance: periods, charts with their tables, a file, and that it is logged."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest

from gateway.credentials import UserRole
from gateway.ports.accounts import Language
from gateway.ports.tallies import Count, Measure, Tallied
from gateway.web.console.charts import shares
from gateway.web.console.forms import Form
from gateway.web.console.language import say_in
from gateway.web.console.pages.compliance.figures import figures
from gateway.web.console.periods import Period, chosen, options
from tests.consoles import console
from tests.flow.test_gate import hand_in, melding
from tests.flow.test_toets import decide
from tests.flow.town import OM, POLITIE

TODAY = date(2026, 11, 24)
DUTCH = say_in(Language.NL)


@pytest.fixture
async def police(tmp_path):
    async with console(tmp_path, POLITIE) as made:
        yield made


@pytest.fixture
async def cor(police):
    user = await police.user("cor", UserRole.COMPLIANCE)
    async with police.browser() as browser:
        await browser.sign_in(user)
        yield browser


async def counted(made, oin=POLITIE):
    await made.town.settle()
    await made.town[oin].store.tallies.fold()


def cells(page, id_):
    """The rows of a table, by its caption."""
    rows = page.tree.xpath(f"//table[caption[@id='{id_}']]/tbody/tr")
    return [
        [" ".join(c.text_content().split()) for c in row if not c.get("aria-hidden")]
        for row in rows
    ]


def asked(**fields):
    form = Form(fields=fields)
    return chosen(form, TODAY), form.errors


# --- periods --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "first", "last"),
    [
        ({}, "2026-11-01", "2026-11-30"),
        ({"periode": "2026-02"}, "2026-02-01", "2026-02-28"),
        ({"periode": "2025-11"}, "2025-11-01", "2025-11-30"),
        ({"periode": "2026-K4"}, "2026-10-01", "2026-12-31"),
        ({"periode": "2025-K4"}, "2025-10-01", "2025-12-31"),
        ({"periode": "eigen", "van": "2026-03-29", "tot": "2026-03-29"},
         "2026-03-29", "2026-03-29"),
        ({"periode": "eigen", "van": "2023-03-01", "tot": "2024-02-29"},
         "2023-03-01", "2024-02-29"),
    ],
)  # fmt: skip
def test_a_period_is_chosen(fields, first, last):
    period, errors = asked(**fields)

    assert (str(period.first), str(period.last), errors) == (first, last, {})


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"periode": "2019-01"}, "periode"),
        ({"periode": "eigen"}, "van"),
        ({"periode": "eigen", "van": "2026-01-01"}, "tot"),
        ({"periode": "eigen", "van": "2026-01-02", "tot": "2026-01-01"}, "tot"),
        ({"periode": "eigen", "van": "2025-01-01", "tot": "2026-01-02"}, "tot"),
        ({"periode": "eigen", "van": "gisteren", "tot": "2026-01-02"}, "van"),
    ],
)
def test_a_period_that_is_none_is_said(fields, wrong):
    _, errors = asked(**fields)

    assert wrong in errors


def test_every_period_of_the_list_can_be_chosen():
    for value, text in options(TODAY, Language.NL, DUTCH)[:-1]:
        period, errors = asked(periode=value)
        assert errors == {}, value
        assert str(period.first.year) in text


# --- charts ---------------------------------------------------------------------------


def drawn(*counts, per_day=(), first=TODAY, last=TODAY):
    return figures(
        Tallied(counts=counts, per_day=per_day, upto=None),
        Period(first=first, last=last),
        say=DUTCH,
        language=Language.NL,
        party=lambda oin: f"partij {oin}",
        channel=str,
    )


def test_terms_are_met_missed_or_not_there():
    hour = timedelta(hours=1)
    given = [("25", 3, 3 * hour), ("100", 1, 20 * hour), ("later", 2, 60 * hour), ("geen", 1, hour)]
    found = drawn(
        *(Count(measure=Measure.HOLDING, kind="vto", detail=d, n=n, spent=s) for d, n, s in given)
    )

    (term,) = found.holds.kinds
    assert (term.share.whole, term.share.part, term.late, term.mean) == (7, 4, 2, 12 * hour)
    parts = [(row.label, row.number) for row in found.holds.parts.rows]
    assert parts[-2:] == [("na de termijn", 2), ("zonder termijn", 1)]


def test_long_periods_are_shown_by_month():
    days = tuple((date(2026, month, 3), Measure.OFFERED, month) for month in (1, 2))

    found = drawn(per_day=days, first=date(2026, 1, 1), last=date(2026, 3, 31))

    assert [(one.label, one.whole) for one in found.offered.rows] == [
        ("januari 2026", 1), ("februari 2026", 2),
    ]  # fmt: skip


def test_of_many_codes_the_most_frequent_are_named():
    counts = [
        Count(measure=Measure.REFUSED, kind="hier", detail=f"code.{n:02d}", n=n)
        for n in range(1, 31)
    ]

    rows = drawn(*counts).codes.rows

    assert len(rows) == 21
    assert rows[0].label == "code.30 (hier geweigerd)"
    assert (rows[-1].label, rows[-1].number) == ("overige codes", sum(range(1, 11)))


def test_a_share_that_is_something_is_never_nothing():
    found = shares([("a", 1_000, 1), ("b", 0, 0), ("c", 10, 5)]).rows

    assert [one.percent for one in found] == ["< 1 %", "–", "50 %"]
    assert (found[0].width, found[0].part_width) == (200, 1)


# --- the page -------------------------------------------------------------------------


async def test_an_empty_installation_says_what_there_is_not(cor):
    page = await cor.get("/cijfers")

    assert page.status == 200
    for text in ("nog niets geteld", "werd niets vrijgegeven", "geen besluit van het OM"):
        assert text in page.words


async def test_what_was_handed_in_held_and_confirmed_is_counted(police, cor):
    await hand_in(police.town, melding())
    await hand_in(police.town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"))
    await counted(police)

    page = await cor.get("/cijfers")

    assert ["vtMeldingDi01", "2", "1 (50 %)"] in cells(page, "soorten")
    assert [row[1] for row in cells(page, "gronden") if row[1] != "0"] == ["1"]
    assert cells(page, "ontvangers") == [["veilig-thuis", "1"]]
    assert cells(page, "kanalen") == [["ebMS2", "1"]]
    assert page.tree.xpath("//*[local-name()='svg']")


async def test_what_officers_decide_is_counted_with_them_and_at_the_police(tmp_path):
    async with console(tmp_path, OM) as om:
        await hand_in(om.town, melding(aanhouding="ja"))
        await om.town.settle()
        await decide(om.town)
        await counted(om, OM)
        await om.town[POLITIE].store.tallies.fold()
        user = await om.user("cor", UserRole.COMPLIANCE)
        async with om.browser() as browser:
            await browser.sign_in(user)

            page = await browser.get("/cijfers")

        assert ["vrijgegeven", "1"] in cells(page, "oordelen")
        (term,) = cells(page, "beslissen")
        assert term[:3] == ["vtMeldingDi01", "1", "1 (100 %)"]
        today = om.town.clock.now().date()
        there = await om.town[POLITIE].store.tallies.between(today, today)
        found = {(one.measure, one.detail): one.n for one in there.counts}
        assert found[(Measure.RULED, "vrijgeven")] == 1
        assert found[(Measure.RELEASED, "individueel")] == 1


async def test_looking_is_logged_with_the_period(police, cor):
    await cor.get("/cijfers?periode=eigen&van=2026-11-01&tot=2026-11-02")
    await cor.get("/cijfers/csv")

    rows = await police.town[POLITIE].store.reader.audit(after=0, limit=10_000)
    looks = [row.event.data for row in rows if row.event.event == "console.looked"]
    assert [one["what"] for one in looks] == ["numbers", "numbers.export"]
    assert (looks[0]["first"], looks[0]["last"]) == ("2026-11-01", "2026-11-02")


@pytest.mark.parametrize("path", ["/cijfers", "/cijfers/csv"])
async def test_a_wrong_period_is_said_and_nothing_is_looked_at(police, cor, path):
    page = await cor.get(f"{path}?periode=eigen&van=2020-01-01&tot=2026-01-01")

    assert page.status == 422
    assert "ten hoogste een jaar" in page.words
    rows = await police.town[POLITIE].store.reader.audit(after=0, limit=10_000)
    assert "console.looked" not in {row.event.event for row in rows}


async def test_the_file_has_the_same_numbers(police, cor):
    await hand_in(police.town, melding())
    await counted(police)
    page = await cor.get("/cijfers")

    found = await cor.get("/cijfers/csv")

    assert found.headers["Content-Disposition"].startswith('attachment; filename="cijfers-2026')
    rows = list(csv.DictReader(StringIO(found.text)))
    (offered,) = [row for row in rows if row["maat"] == "aangeboden"]
    assert (offered["soort"], offered["aantal"]) == ("vtMeldingDi01", "1")
    assert ["vtMeldingDi01", "1", "0 (0 %)"] in cells(page, "soorten")


async def test_in_english_nothing_stays_dutch(police, cor):
    await hand_in(police.town, melding())
    await counted(police)

    page = await cor.get("/taal/en?terug=/cijfers")

    assert page.path == "/cijfers"
    assert "Messages offered" in page.words
    for dutch in ("Vrijgegeven", "Aantal", "ontvanger", "Geteld"):
        assert dutch not in page.words
