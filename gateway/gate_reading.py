"""From the files of the OM gate to what the gateway goes by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from gateway.config_gate import (
    ApprovalSettings,
    ApprovalsFile,
    ArticleSettings,
    ClassificationFile,
    RuleSettings,
    TermsSettings,
)
from gateway.directory import (
    ArticleException,
    Beside,
    ClassificationRule,
    ClassificationTable,
    Condition,
    StandingApproval,
    TermList,
)
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.rules.classification import check_table, folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the OM gave beforehand."""

    approvals: tuple[StandingApproval, ...] = ()
    exceptions: tuple[ArticleException, ...] = ()


NOTHING = Given()


def table(content: ClassificationFile) -> ClassificationTable:
    """Return the table; raises Misconfigured `gate.*`."""
    found = ClassificationTable(
        version=content.versie,
        koppelvlak=frozenset(content.koppelvlak),
        versions={name: frozenset(versions) for name, versions in content.versies.items()},
        messages=frozenset(content.berichten),
        exempt=frozenset(content.vrijgesteld),
        rules=tuple(_rule(one) for one in content.regels),
        terms=tuple(_terms(one) for one in content.termen),
        free_text=_parties(content.vrije_tekst),
    )
    check_table(found)
    return found


def _rule(settings: RuleSettings) -> ClassificationRule:
    return ClassificationRule(
        id=settings.id,
        message=settings.bericht,
        path=settings.pad,
        condition=settings.conditie,
        beside=_beside(settings.naast),
        nature=settings.soort,
        category=settings.categorie,
        mode=settings.toestemming,
        reason=settings.reden,
        wpg_artikel=settings.wpg_artikel,
    )


def _beside(text: str) -> Beside | None:
    """Read `naam=a,b` and `naam!=a,b`."""
    name, is_, texts = text.partition("=")
    if not is_:
        return None
    return Beside(
        name=name.removesuffix("!"), texts=folded(texts.split(",")), among=not name.endswith("!")
    )


def _terms(settings: TermsSettings) -> TermList:
    receivers = settings.ontvangers
    return TermList(
        name=settings.id,
        terms=settings.woorden,
        receivers=None if receivers is None else _parties(receivers),
    )


def given(content: ApprovalsFile, *, where: str) -> Given:
    """Return approvals and exceptions; raises Misconfigured `config.invalid`."""
    found = Given(
        approvals=tuple(_approval(one) for one in content.toestemmingen),
        exceptions=tuple(_exception(one) for one in content.uitzonderingen),
    )
    every: tuple[StandingApproval | ArticleException, ...] = (*found.approvals, *found.exceptions)
    if len({one.id for one in every}) < len(every):
        raise Misconfigured("config.invalid", "Een id staat er twee keer.", where=where)
    if any(one.valid_from >= one.valid_until for one in every):
        raise Misconfigured(
            "config.invalid", "Een toestemming eindigt voor zij begint.", where=where
        )
    return found


def _approval(settings: ApprovalSettings) -> StandingApproval:
    return StandingApproval(
        id=settings.id,
        agreement=settings.overeenkomst,
        given_by=settings.gegeven_door,
        ground=settings.grond,
        messages=frozenset(settings.berichten),
        receivers=_parties(settings.ontvangers),
        wpg_artikelen=frozenset(settings.wpg_artikelen),
        categories=frozenset(settings.categorieen),
        conditions=tuple(Condition(code=c.code, text=c.tekst) for c in settings.voorwaarden),
        valid_from=settings.geldig_van.astimezone(UTC),
        valid_until=settings.geldig_tot.astimezone(UTC),
    )


def _exception(settings: ArticleSettings) -> ArticleException:
    return ArticleException(
        id=settings.id,
        given_by=settings.gegeven_door,
        ground=settings.grond,
        messages=frozenset(settings.berichten),
        receivers=_parties(settings.ontvangers),
        wpg_artikelen=frozenset(settings.wpg_artikelen),
        valid_from=settings.geldig_van.astimezone(UTC),
        valid_until=settings.geldig_tot.astimezone(UTC),
    )


def _parties(texts: Sequence[str]) -> frozenset[Oin]:
    return frozenset(Oin(text) for text in texts)
