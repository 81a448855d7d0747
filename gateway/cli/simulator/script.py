"""What a script may say. docs/simulator.md has these tables, made from here."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.toml import parse_toml

VANZELF = "vanzelf"
GEEN = "geen"

Veldpad = Annotated[str, Field(pattern=r"^[\w.-]+(/[\w.-]+)*$")]
"""Local names below the root, `/`-separated."""
Seconden = Annotated[float, Field(ge=0, le=86_400)]


class Ontvangst(StrEnum):
    BV01 = "bv01"
    FO01 = "fo01"
    GEEN = "geen"


class Bevestiging(StrEnum):
    GOED = "goed"
    GEEN = "geen"
    ONGETEKEND = "ongetekend"
    ONJUIST = "onjuist"


class Storing(StrEnum):
    GEEN = "geen"
    DICHT = "dicht"
    BEZET = "503"
    HANGT = "hangt"


class Leugen(StrEnum):
    GEEN = "geen"
    SCHEMA = "schema"
    KRUISVERWIJZING = "kruisverwijzing"
    ZAAK = "zaak"
    HANDTEKENING = "handtekening"


class Dubbel(StrEnum):
    GEEN = "geen"
    BERICHT = "bericht"
    INHOUD = "inhoud"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# --- which message --------------------------------------------------------------------


class Herkenning(Section):
    """Which message a rule is for. Everything that is given must fit; the first rule counts."""

    naam: str = Field("", description="Name of the rule, in what is printed.")
    bericht: str = Field("*", description="Name of the message; `*` and `?` are wildcards.")
    zaak: str | None = Field(
        None,
        description="How the message names its case (identificatieVtMelding, verzoekidentificatie, "
        "identificatie, …), with wildcards.",
    )
    veld: Veldpad | None = Field(
        None,
        description="Another field that must fit, as a path of names below the root: "
        "`object/datumMelding`, `stuurgegevens/referentienummer`.",
    )
    waarde: str = Field(
        "?*", description="Text of that field, with wildcards; the default is any text at all."
    )
    keer: int | None = Field(
        None, ge=1, description="Only the nth message that fits; left out = all of them."
    )


# --- what to do -----------------------------------------------------------------------


class Reactie(Section):
    """What is done with a message."""

    wacht: Seconden = Field(0, description="Seconds before the Bv01 or Fo01.")
    ontvangst: Ontvangst = Field(Ontvangst.BV01, description="`bv01`, `fo01` or `geen`.")
    fout_code: str = Field(
        "StUF058", min_length=1, max_length=7, description="StUF code of the Fo01."
    )
    fout_tekst: str = Field(
        "Het bericht kon niet worden verwerkt.",
        min_length=1,
        max_length=200,
        description="Text of the Fo01.",
    )
    antwoord: str = Field(
        VANZELF,
        description="`vanzelf`: the message that belongs to it, where there is one and after a "
        "Bv01; `geen`; or the name of a message, which is then always sent.",
    )
    wacht_antwoord: Seconden = Field(
        1, description="Seconds between the Bv01 or Fo01 and the answer."
    )
    uitkomst: dict[Veldpad, str] = Field(
        default_factory=dict, description="Fields of the answer: path = text."
    )


class PartnerReactie(Reactie):
    """What a partner does with a message, and where it goes wrong."""

    bevestiging: Bevestiging = Field(
        Bevestiging.GOED,
        description="The ebMS Acknowledgment: `goed`, `geen`, `ongetekend` (no signature) or "
        "`onjuist` (digests of something else).",
    )
    bevestiging_pogingen: int = Field(
        1,
        ge=0,
        description="How many attempts of the other side get that acknowledgement before a "
        "right one; 0 = all.",
    )
    storing: Storing = Field(
        Storing.GEEN,
        description="From this message on the partner is down: `dicht` (connections are refused), "
        "`503`, or `hangt` (no answer). It is not taken in, and comes again.",
    )
    storing_seconden: Seconden = Field(10, description="How long that lasts.")
    leugen: Leugen = Field(
        Leugen.GEEN,
        description="What is wrong with the answer: `schema`, `kruisverwijzing` (crossRefnummer "
        "of another message), `zaak` (another case), `handtekening`.",
    )
    leugen_ontvangst: Leugen = Field(
        Leugen.GEEN, description="The same for the Bv01 or Fo01; they have no `zaak`."
    )
    dubbel: Dubbel = Field(
        Dubbel.GEEN,
        description="The answer comes twice: `bericht` (same MessageId and octets) or `inhoud` "
        "(same referentienummer, other content).",
    )


class PartnerRegel(Herkenning, PartnerReactie):
    """One rule: what it does not say is as in `[standaard]`."""


class BackendRegel(Herkenning, Reactie):
    """One rule: what it does not say is as in `[standaard]`."""


# --- what to begin --------------------------------------------------------------------


class Zending(Section):
    """Messages that are sent of the player's own accord."""

    bericht: str = Field(min_length=1, description="Name of the message.")
    aantal: int = Field(1, ge=1, le=100_000, description="How many.")
    na: Seconden = Field(0, description="Seconds before the first.")
    tempo: Seconden = Field(1, description="Seconds between two of them.")
    zaak: str | None = Field(
        None, min_length=1, description="How they name their case; left out = each a new one."
    )
    velden: dict[Veldpad, str] = Field(
        default_factory=dict, description="Fields of the message: path = text."
    )


class PartnerZending(Zending):
    """Messages that the partner sends of its own accord."""

    leugen: Leugen = Field(Leugen.GEEN, description="What is wrong with them, as in a rule.")
    dubbel: Dubbel = Field(Dubbel.GEEN, description="Whether they come twice, as in a rule.")


class BackendZending(Zending):
    """Messages that the back-end hands in."""

    acuut: bool = Field(default=False, description="Acute: an answer within 24 hours.")
    onderzoek: bool = Field(default=False, description="A criminal investigation is running.")
    wpg_artikel: str = Field("8", description="Wpg article; counts for the politie only.")


class Systeem(Section):
    """The back-end system. Paths are relative to the script."""

    url: str = Field(pattern=r"^https://\S+$", description="Address of the REST interface.")
    token_bestand: Path = Field(description="File with the token and nothing else, mode 0600.")
    trust: Path = Field(description="CA certificates of the server, PEM.")
    oin: str = Field(description="OIN of the own organisation.")
    applicatie: str = Field(description="Own applicatie.")
    partner_oin: str = Field(description="OIN of the partner.")
    partner_applicatie: str = Field(description="Applicatie of the partner.")
    versie: str = Field("1.0.9", description="Version of the koppelvlak.")


# --- whole scripts --------------------------------------------------------------------


class PartnerScript(Section):
    """Script of `gateway simulator partner`. An empty one does everything right."""

    standaard: PartnerReactie = Field(default_factory=lambda: PartnerReactie.model_validate({}))
    regels: tuple[PartnerRegel, ...] = ()
    stuur: tuple[PartnerZending, ...] = ()


class BackendScript(Section):
    """Script of `gateway simulator backend`."""

    systeem: Systeem
    standaard: Reactie = Field(default_factory=lambda: Reactie.model_validate({}))
    regels: tuple[BackendRegel, ...] = ()
    stuur: tuple[BackendZending, ...] = ()


def read_partner_script(octets: bytes, *, where: str) -> PartnerScript:
    """Read TOML; raises Misconfigured `config.*` with the key path of every fault."""
    return parse_toml(octets, PartnerScript, where=where)


def read_backend_script(octets: bytes, *, where: str) -> BackendScript:
    """Read TOML; raises Misconfigured `config.*` with the key path of every fault."""
    return parse_toml(octets, BackendScript, where=where)
