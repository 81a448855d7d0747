"""The files of a test set-up that are meant to be read: scripts, approvals, what to do."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gateway.config_gate import ClassificationFile, Mode
from gateway.installation_new import NewParty

ONLY_TRIAL = "ALLEEN-VOOR-PROEF"
STAYS = "vtMeldingDi01"
_DAYS = 365


def approval(
    table: ClassificationFile, messages: Sequence[str], receiver: str, *, begin: datetime
) -> bytes:
    """Return approvals.toml with one standing approval, of nobody, for fictional documents."""
    standing = {rule.categorie for rule in table.regels if rule.toestemming is Mode.STANDING}
    return f"""\
# Only for a trial with fictional documents: no officer of justice gave this.
[[toestemmingen]]
id = "{ONLY_TRIAL}"
overeenkomst = "geen (proef)"
gegeven_door = "niemand (proef)"
grond = "Proef met verzonnen berichten"
berichten = {_toml(list(messages))}
ontvangers = [{_toml(receiver)}]
wpg_artikelen = ["8", "13"]
categorieen = {_toml(sorted(standing))}
geldig_van = {begin.isoformat(timespec="seconds")}
geldig_tot = {(begin + timedelta(days=_DAYS)).isoformat(timespec="seconds")}
""".encode()


def for_trial(table: ClassificationFile) -> ClassificationFile:
    """Return a table by which only what vtMeldingDi01 holds is put to the OM: here is none."""
    rules = tuple(
        rule if rule.bericht == STAYS else rule.model_copy(update={"toestemming": Mode.STANDING})
        for rule in table.regels
    )
    changes = {"versie": f"{ONLY_TRIAL} {table.versie}", "regels": rules}
    return table.model_copy(update=changes)


def classification(table: ClassificationFile) -> bytes:
    """Return the file of a trial table."""
    said = table.model_dump(mode="json", exclude_defaults=True)
    lines = [
        "# Only for a trial: the built-in table, by which only vtMeldingDi01 waits for the OM.",
        *(f"{key} = {_toml(value)}" for key, value in said.items() if not _nested(value)),
    ]
    for key, value in said.items():
        if isinstance(value, dict):
            lines += ["", f"[{key}]", *_pairs(value)]
        elif _nested(value):
            lines += [line for one in value for line in ("", f"[[{key}]]", *_pairs(one))]
    return ("\n".join(lines) + "\n").encode()


def _nested(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )


def _pairs(content: Mapping[str, object]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in content.items()]


def partner_script(party: NewParty) -> bytes:
    """Return the script that a partner begins with."""
    example = "vtMeldingDi01" if party.role == "politie" else "vtTerugkoppelingDi01"
    return f"""\
# What {party.name} does with what it gets. docs/simulator.md explains every key.
# The first rule that fits counts. Without a rule all is well: an Acknowledgment, a Bv01, and
# the answer that belongs to the message (vtMelding → vtTerugkoppeling, vcob → ucob, vci → uci, …).

[standaard]
wacht = 0             # seconds before the Bv01
wacht_antwoord = 1    # and from there to the answer

# Each rule below waits for a word with which your message names its case (the identification of
# the melding or of the request), so that one changed field is enough to meet it. Change, add or
# remove what you like.

[[regels]]
naam = "laat"         # Bv01 and answer come after a while
zaak = "LAAT*"
wacht = 10
wacht_antwoord = 10

[[regels]]
naam = "weigert"      # a Fo01 instead of a Bv01
zaak = "WEIGER*"
ontvangst = "fo01"
fout_code = "StUF058"
fout_tekst = "Het bericht kon niet worden verwerkt."

[[regels]]
naam = "zwijgt"       # no Bv01, no answer
zaak = "STIL*"
ontvangst = "geen"
antwoord = "geen"

[[regels]]
naam = "schema"       # an answer that breaks its schema
zaak = "SCHEMA*"
leugen = "schema"

[[regels]]
naam = "andere zaak"  # an answer about another case
zaak = "ZAAK*"
leugen = "zaak"

[[regels]]
naam = "kruis"        # a Bv01 on another message
zaak = "KRUIS*"
leugen_ontvangst = "kruisverwijzing"

[[regels]]
naam = "vals"         # an answer whose signature is not right
zaak = "VALS*"
leugen = "handtekening"

[[regels]]
naam = "dicht"        # connections are refused for a while, and this message comes again
zaak = "DICHT*"
storing = "dicht"
storing_seconden = 10

[[regels]]
naam = "bezet"        # the same with HTTP 503
zaak = "BEZET*"
storing = "503"
storing_seconden = 10

[[regels]]
naam = "hangt"        # the same, and no answer at all
zaak = "HANGT*"
storing = "hangt"
storing_seconden = 10

[[regels]]
naam = "dubbel"       # the same answer again: same MessageId, same octets
zaak = "DUBBEL*"
dubbel = "bericht"

[[regels]]
naam = "hergebruik"   # the same referentienummer again, with other content
zaak = "HERGEBRUIK*"
dubbel = "inhoud"

[[regels]]
naam = "geen bevestiging"       # the first attempt gets no Acknowledgment, the second does
zaak = "GEENACK*"
bevestiging = "geen"

[[regels]]
naam = "ongetekende bevestiging"
zaak = "NAAKTACK*"
bevestiging = "ongetekend"

[[regels]]
naam = "andere bevestiging"     # an Acknowledgment with the digests of something else
zaak = "ANDERACK*"
bevestiging = "onjuist"

# Messages of its own accord; on the command line: --stuur {example}
# [[stuur]]
# bericht = "{example}"
# aantal = 3
# tempo = 2
""".encode()


def backend_script(own: NewParty, other: NewParty, url: str, first: str) -> bytes:
    """Return the script that a back-end begins with."""
    return f"""\
# What a back-end system of {own.name} does. docs/simulator.md explains every key.

[systeem]
url = {_toml(url)}
token_bestand = "token"
trust = "trust.pem"
oin = {_toml(own.oin)}
applicatie = {_toml(own.applicaties[0])}
partner_oin = {_toml(other.oin)}
partner_applicatie = {_toml(other.applicaties[0])}

# What comes into the postvak is confirmed and, where a message belongs to it, answered.
[standaard]
antwoord = "vanzelf"

# [[regels]]
# bericht = "*"
# keer = 3
# ontvangst = "fo01"            # refuse the third message
# fout_code = "StUF058"
# fout_tekst = "Deze zaak is hier niet bekend"

# What it hands in. LAAT, WEIGER, STIL, SCHEMA, ZAAK, KRUIS, VALS, DICHT, BEZET, HANGT, DUBBEL,
# HERGEBRUIK, GEENACK, NAAKTACK and ANDERACK meet the rules of the partner's script.
[[stuur]]
bericht = {_toml(first)}
aantal = 3
tempo = 1

# [[stuur]]
# bericht = {_toml(first)}
# na = 5
# zaak = "LAAT-1"
""".encode()


def readme(own: NewParty, other: NewParty, url: str, first: str) -> bytes:
    """Return LEESMIJ.md of a set-up; `first` is the message to begin with."""
    return f"""\
# Proefopstelling

| Map | Wat |
|---|---|
| `mijn/` | aansluitpunt van {own.name} ({own.oin}), klaar voor `gateway serve` |
| `simulator/` | {other.name} ({other.oin}), gespeeld door `gateway simulator partner` |
| `backend/` | token, stamcertificaten, voorbeeldberichten en een script voor een systeem van \
{own.name} |

Draai elk in een eigen venster, vanuit deze map:

```sh
gateway serve --config mijn
gateway simulator partner simulator
gateway simulator backend backend        # of uw eigen systeem
```

Of met de hand, voor een eerste bericht:

```sh
curl --cacert backend/trust.pem -H "Authorization: Bearer $(cat backend/token)" \\
     -H 'Content-Type: application/xml' --data-binary @backend/berichten/{first}.xml \\
     '{url}/api/v1/berichten?acuut=false&onderzoek=false&wpgArtikel=8'
curl --cacert backend/trust.pem -H "Authorization: Bearer $(cat backend/token)" \\
     '{url}/api/v1/postvak?wacht=30'
```

Een tweede bericht heeft een eigen `referentienummer`. Wat de partner doet, staat in
`simulator/script.toml`: zet bijvoorbeeld `LAAT-1` in de identificatie van uw melding.

Alle sleutels, certificaten, OIN's en toestemmingen hierin zijn voor de proef gemaakt. Gebruik ze
nergens anders voor, en stuur hier nooit echte gegevens doorheen.
""".encode()


def to_add(party: NewParty, services: dict[str, str]) -> bytes:
    """Return the lines that an existing gateway.toml needs."""
    lines = [
        "# Onder [diensten], als het er nog niet staat:",
        *(f"#   {_toml(service)} = {_toml(version)}" for service, version in services.items()),
        "",
        "# Onderaan:",
        "[[partijen]]",
        f"oin = {_toml(party.oin)}",
        f"naam = {_toml(party.name)}",
        f"rol = {_toml(party.role)}",
        f"applicaties = {_toml(list(party.applicaties))}",
    ]
    return ("\n".join(lines) + "\n").encode()


def readme_beside(party: NewParty, installation: object) -> bytes:
    """Return LEESMIJ.md of a partner for an existing installation."""
    return f"""\
# {party.name} ({party.oin}) als proefpartner

In `voor-mijn-installatie/` staat wat de installatie in {installation} moet overnemen:

```sh
cp -r voor-mijn-installatie/trust voor-mijn-installatie/agreements {installation}/
cat voor-mijn-installatie/gateway.toml.erbij >> {installation}/gateway.toml   # lees het eerst
gateway doctor --config {installation}
```

Start de installatie opnieuw of geef haar SIGHUP, en speel dan de partner:

```sh
gateway simulator partner simulator
```

Haal na de proef de drie bestanden uit `trust/`, de CPA en de partij weer weg: wie het
testcertificaat heeft, is anders een partij.
""".encode()


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
