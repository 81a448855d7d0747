"""What an alarm says to the person who must act: what is wrong, and what to do."""

from collections.abc import Mapping
from types import MappingProxyType

ALARMS: Mapping[str, str] = MappingProxyType(
    {
        "answer.missing": "De ontvanger heeft geen Bv01 of Fo01 gegeven. Vraag na of het bericht "
        "is verwerkt.",
        "certificate.expiring": "Een certificaat loopt af, binnen de dagen achter de streep. "
        "Welk en waarvoor: gateway certs list. Is het van een partner: vraag om een nieuwe CPA, of "
        "voor e-mail om het nieuwe certificaat.",
        "clock.stepped_back": "De klok is teruggezet. Er gaat niets onder een toestemming uit tot "
        "de tijd weer klopt. Liep hij eerst voor en klopt hij nu: handel dit alarm af.",
        "crl.stale": "De intrekkingslijst van deze uitgever is verlopen of bijna. Zonder verse "
        "lijst komt niemand met een certificaat van die uitgever binnen: haal haar op en geef haar "
        "aan gateway certs import.",
        "delivery.dead": "Een bericht is niet bezorgd en opgegeven. Een partner die het stuurde "
        "krijgt een Fo01.",
        "delivery.late": "Een bericht is alsnog bevestigd nadat de zender een Fo01 kreeg. Vertel "
        "de zender dat het wel is aangekomen.",
        "delivery.refused": "De partner heeft een bericht geweigerd met een MessageError.",
        "delivery.there": "De partner zegt dat hij een bericht heeft, maar bevestigt het niet. Het "
        "ging daarom niet per e-mail. Vraag hem waarom; zo nodig: gateway berichten staak.",
        "delivery.twice": "De partner bevestigt wat ook per e-mail naar hem ging. Vraag of hij het "
        "één keer heeft opgenomen.",
        "delivery.unconfirmed": "De partner bevestigt een of meer berichten niet.",
        "delivery.unknown": "Onzeker of een bericht is aangekomen. Vraag het de ontvanger, daarna: "
        "gateway berichten hervat of staak.",
        "delivery.unreadable": "Wat de database over een verzending zegt is niet te lezen. Zij "
        "wacht; de rest gaat door. Iemand kan de database hebben gewijzigd: controleer de "
        "auditketen (gateway audit verify) en zoek uit wie. Daarna: handel dit alarm af.",
        "disk.low": "De schijf van de database raakt vol. Maak ruimte: op een volle schijf komt "
        "geen bericht meer in.",
        "epoch_keys.unwritable": "In de map van de epoch-sleutels kan niet worden geschreven. "
        "Zodra een nieuwe sleutel nodig is (dagelijks) komt geen bericht meer in: herstel rechten "
        "of schijf.",
        "exception.expiring": "Een partner mag een verboden algoritme niet lang meer gebruiken, of "
        "al niet meer; welk staat achter zijn OIN. Vraag hem over te stappen en haal daarna de "
        "uitzondering weg uit gateway.toml. Na de laatste dag wordt geweigerd wat erop steunt.",
        "gate.closed": "De poort is dicht: alles behalve wat naar het OM gaat wordt vastgehouden. "
        "Waarom staat in de reden: plaats een verse intrekkingslijst (gateway certs import), of "
        "laat het OM opnieuw bevestigen (gateway toetsing). Daarna gaat de poort vanzelf open.",
        "gate.marks_lost": "Merken van wat het OM introk waren weg uit de map van de "
        "epoch-sleutels, en zijn teruggezet; hoeveel staat in de reden. Zoek uit wie bestanden "
        "weghaalde en of de database intussen is gewijzigd (gateway audit verify). Na een upgrade "
        "van voor deze merken hoort het eenmalig.",
        "gate.marks_owed": "Van een intrekking door het OM, of een aanvaarding, is geen merk te "
        "schrijven in de map van de epoch-sleutels: zij staat alleen in de database. Herstel "
        "rechten of schijf voordat het proces stopt.",
        "gate.unproven": "De rij van een levering zegt dat zij vrij is, maar haar inhoud en het "
        "besluit van het OM zeggen dat niet. Zij wordt niet getoond. Iemand kan de database hebben "
        "gewijzigd: controleer de auditketen (gateway audit verify) en zoek uit wie.",
        "incoming.held": "Er kwam e-mail binnen die geen systeem kan opnemen. Kijk bij Quarantaine "
        "waarom, en doe wat er staat.",
        "incoming.suspended": "Er komt e-mail van een partij die hier is geblokkeerd. Zij wacht "
        "bij onze mailserver, die het na enkele dagen opgeeft. Hef de blokkade op, of vraag de "
        "partij om langs een andere weg te sturen. Daarna: handel dit alarm af.",
        "mail.unproved": "Brieven naar een partij wachten: iets was niet aantoonbaar veilig. De "
        "reden zegt welke controle het was; het verloop van het bericht zegt wat er is gezien.",
        "message.twice": "Een bericht kwam over twee wegen: per e-mail en over ebMS2. Het tweede "
        "is niet verwerkt. Ga na of ook een mens of een ander systeem het al opnam.",
        "partner.paused": "Een medewerker zette de verzending naar deze partij stil. "
        "Termijnen lopen door. Hervat haar zodra het kan.",
        "partner.down": "De partner is niet bereikbaar.",
        "payload.unreadable": "De inhoud van een bericht is niet meer te lezen; het is opgegeven.",
        "postvak.waiting": "Een eigen systeem haalt zijn berichten niet op of bevestigt ze niet.",
        "quarantine.full": "De quarantaine voor e-mail is vol: wat erin hoort wacht bij de "
        "mailserver. Sluit af wat klaar is (Quarantaine), of maak haar ruimer in [email.lmtp].",
        "store.trouble": "De opslag was niet te beschrijven; zolang kwam geen bericht in. Nu "
        "werkt het weer: zoek de oorzaak.",
        "toets.besluit.veranderd": "De rij van een besluit dat op een tweede officier wacht is "
        "niet wat de eerste voorstelde, of het was teruggenomen. Het is niet bevestigd. Iemand "
        "kan de database hebben gewijzigd: controleer de auditketen (gateway audit verify) en "
        "zoek uit wie.",
        "toets.geen_route": "Het OM is niet te vragen: er is geen afspraak waaronder het verzoek "
        "naar het OM kan. Het bericht blijft vastgehouden.",
        "toets.verzoek": "Een verzoek aan het OM wacht te lang op een officier. Besluit, of laat "
        "het piket besluiten.",
        "toets.verzoek.veranderd": "De rij van een verzoek aan het OM is niet wat de politie "
        "stuurde. Er is niets getoond en niets besloten. Iemand kan de database hebben gewijzigd: "
        "controleer de auditketen (gateway audit verify) en zoek uit wie.",
        "toets.wacht": "Een bericht wacht te lang op een besluit van het OM. Bel het OM; zwijgen "
        "laat niets door.",
        "undeliverable.untold": "De zender van een onbezorgd bericht is niet te bereiken met een "
        "Fo01: er is geen afspraak voor.",
        "webhook.disabled": "Een eigen systeem wordt niet meer geroepen: zijn webhook faalde te "
        "lang, of zei 410. Herstel het, probeer het (gateway webhooks test) en schakel het weer "
        "in (gateway webhooks enable). Wat het miste staat in de lijsten van de API.",
    }
)


def text(code: str) -> str:
    """Return the Dutch text; one that has none keeps its code."""
    return ALARMS.get(code, code)
