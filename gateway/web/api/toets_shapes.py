"""JSON of requests to the OM and of decisions: what is asked, and what is sent."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from gateway.pipeline.desk import Case
from gateway.ports import Request, Verdict
from gateway.rules.officers import Wish
from gateway.web.api import models
from gateway.web.api.body import JsonBody
from gateway.wire.toets import Uitkomst, Voorwaarde

CODE = "toets.vorm"
_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Line = Annotated[str, Field(max_length=200)]
_Words = Annotated[str, Field(max_length=2_000)]


class VoorwaardeBody(JsonBody):
    """A condition."""

    code: _Id = Field(description="Eigen code van de voorwaarde.")
    tekst: _Words = Field(description="De voorwaarde, voor de ontvanger.")
    aanvaarding: bool = Field(
        default=False, description="Of de ontvanger haar eerst moet aanvaarden."
    )


class OfficierBody(JsonBody):
    """Who does it."""

    officier: _Id = Field(description="Id van de officier.")


class RedenBody(JsonBody):
    """Who does it, and why."""

    officier: _Id = Field(description="Id van de officier.")
    reden: _Line = Field(description="Waarom; wordt vastgelegd. Geen persoonsgegevens.")


class IntrekToestemmingBody(JsonBody):
    """A standing approval that ends."""

    officier: _Id = Field(description="Id van de officier.")
    reden: _Line = Field(description="Waarom; wordt vastgelegd.")
    politie: _Id = Field(description="OIN van de politie waar zij geldt.")
    toestemming: _Line = Field(description="Id van de doorlopende toestemming.")


class BesluitBody(JsonBody):
    """What an officer decides."""

    officier: _Id = Field(description="Id van de officier.")
    uitkomst: Uitkomst = Field(strict=False, description="Een van de vier uitkomsten.")
    grond: _Words = Field(description="Grond; de eerste regel gaat mee, de rest blijft bij het OM.")
    te_melden: _Words = Field(default="", description="Wat de afzender mag weten.")
    voorwaarden: tuple[VoorwaardeBody, ...] = Field(
        default=(), strict=False, description="Bij vrijgeven onder voorwaarden."
    )
    geldig_tot: AwareDatetime | None = Field(
        default=None, strict=False, description="Tot wanneer; weggelaten = de instelling."
    )
    bekend: bool = Field(
        default=False, description="Of de ontvanger mag weten dat er iets wordt achtergehouden."
    )

    def wish(self) -> Wish:
        """Return what the desk takes."""
        return Wish(
            outcome=self.uitkomst,
            ground=self.grond,
            told=self.te_melden,
            conditions=tuple(
                Voorwaarde(code=v.code, tekst=v.tekst, aanvaarding=v.aanvaarding)
                for v in self.voorwaarden
            ),
            valid_until=self.geldig_tot,
            known=self.bekend,
        )


# --- what is told ---------------------------------------------------------------------


def verzoek(one: Request) -> models.Toetsverzoek:
    return models.Toetsverzoek(
        id=one.id,
        politie=one.holder,
        soort=one.soort,
        versie=one.version,
        referentienummer=one.referentienummer,
        ontvanger=one.recipient,
        sha256=one.payload_sha256,
        omvang=one.size,
        tabelversie=one.table_version,
        redenen=[
            models.Toetsreden(
                regel=r.rule,
                categorie=r.category,
                toestemming=str(r.mode),
                pad=r.path,
                tekst=r.text,
                wpg_artikel=r.wpg_artikel,
            )
            for r in one.reasons
        ],
        aanvrager=one.asker,
        acuut=one.acuut,
        ontvangen=one.at,
        termijn=one.deadline,
        parket=one.parket,
        behandelaar=one.claimed_by,
        behandelaar_tot=one.claimed_until,
        uitkomst=one.outcome,
        afgesloten=one.closed_at,
        deel_van=one.part_of,
        vervangt=one.replaces,
        voorgesteld_door=one.proposed_by,
    )


def besluit(one: Verdict) -> models.Toetsbesluit:
    return models.Toetsbesluit(
        id=one.id,
        verzoek=one.request,
        uitkomst=str(one.outcome),
        grond=one.ground,
        te_melden=one.told,
        voorwaarden=[
            models.Toetsvoorwaarde(code=v.code, tekst=v.tekst, aanvaarding=v.aanvaarding)
            for v in one.conditions
        ],
        officier=one.officer,
        tweede_officier=one.second,
        genomen=one.at,
        geldig_tot=one.valid_until,
        status=str(one.state),
        ingetrokken=one.withdrawn_at,
    )


def zaak(case: Case) -> models.Toetszaak:
    return models.Toetszaak(
        verzoek=verzoek(case.request),
        besluiten=[besluit(one) for one in case.verdicts],
        eerder=[verzoek(one) for one in case.earlier],
        genoemd=[verzoek(one) for one in case.linked],
    )
