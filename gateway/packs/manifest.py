"""What is written down of an installed pack: `pack.json` in its folder."""

import json
from hashlib import sha256

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import Misconfigured
from gateway.schemapack import PackMessage

NAME = "pack.json"
NAME_PATTERN = r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$"
"""Of a pack; it is also the name of its folder."""
VERSION_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackFile(_Part):
    pad: str
    octets: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Bericht(_Part):
    naam: str
    namespace: str
    ingang: str


class Manifest(_Part):
    """All of pack.json."""

    naam: str = Field(pattern=NAME_PATTERN)
    versie: str = Field(pattern=VERSION_PATTERN)
    toegevoegd_op: AwareDatetime
    door: str
    programma: str
    """Version of the gateway that checked it."""
    uitleg: bool
    """Whether xmlschema can read it too: without that, refusals are told more briefly."""
    bestanden: tuple[PackFile, ...]
    berichten: tuple[Bericht, ...]

    @property
    def digest(self) -> str:
        """Hex SHA-256 over what makes this pack another one than the next."""
        parts = self.model_dump(include={"naam", "versie", "bestanden", "berichten"})
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def messages(self) -> tuple[PackMessage, ...]:
        """Return the messages as the rest of the program knows them."""
        return tuple(
            PackMessage(name=b.naam, namespace=b.namespace, entry=b.ingang) for b in self.berichten
        )


def read_manifest(octets: bytes, *, where: str) -> Manifest:
    """Return the content of pack.json; raise Misconfigured `pack.changed`."""
    try:
        return Manifest.model_validate_json(octets)
    except ValidationError:
        raise Misconfigured(
            "pack.changed",
            "De beschrijving van het pakket is niet zoals de gateway haar schreef. Verwijder het"
            " pakket en voeg het opnieuw toe.",
            where=where,
        ) from None
