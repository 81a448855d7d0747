"""A town in which the police may send secure e-mail, and what takes its letters."""

from dataclasses import dataclass, field, replace

from gateway.directory import OwnMail, PartyMail
from gateway.ports.mail import Basis, Delivered, Letter, NotProved, Posted, TransportProof, Unknown
from gateway.security.smime import Mailbox, Opened, Sender, open_mail
from tests.flow import town as towns
from tests.flow.town import NOW, POLITIE, VT, leaf
from tests.sealing import Keys

VT_MAIL = "gateway@vt.example"
POLITIE_MAIL = "gateway@politie.example"
PROOF = TransportProof(
    at=NOW,
    domain="vt.example",
    mx="mx.vt.example",
    address="192.0.2.25",
    basis=Basis.DANE,
    record="3 1 1 " + "ab" * 32,
    name="",
    certificate="cd" * 32,
    tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
)
TAKEN = Delivered(proof=PROOF, reply="250 2.0.0", notifies=True)
NO_REPLY = Unknown(code="smtp.lost", proof=PROOF, notifies=True)


@dataclass
class Letterbox:
    """The port `Post`: keeps what it is given, and answers what a test says."""

    answers: list[Posted] = field(default_factory=list)
    """First what is answered first; then everything is taken."""
    letters: list[Letter] = field(default_factory=list)

    async def send(self, letter, way, leaves):
        answer = self.answers.pop(0) if self.answers else TAKEN
        if not isinstance(answer, NotProved):
            await leaves(PROOF)
        self.letters.append(letter)
        return answer


def own(**changes) -> OwnMail:
    made = OwnMail(address=POLITIE_MAIL, sign=leaf(POLITIE, "sign").certificate)
    return replace(made, **changes)


def to_vt(**changes) -> PartyMail:
    certificates = (leaf(VT, "encrypt").certificate,)
    return replace(PartyMail(address=VT_MAIL, certificates=certificates), **changes)


async def build(folder, **options):
    """Return the town and the letterbox of its installations."""
    post = Letterbox()
    town = await towns.build(folder, post=post, **options)
    await set_up(town)
    return town, post


async def set_up(town, **changes):
    police = town[POLITIE]
    parties = police.snapshots.current().parties
    vt = replace(parties[VT], mail=to_vt(**changes))
    await police.change(mail=own(), parties={**parties, VT: vt})


def opened(town, octets) -> Opened:
    """Read a letter of the police as Veilig Thuis does."""
    mine = leaf(VT, "encrypt")
    police = Sender(
        party=POLITIE,
        address=POLITIE_MAIL,
        certificates=(leaf(POLITIE, "sign").certificate,),
    )
    mailbox = Mailbox(
        address=VT_MAIL, certificates=(mine.certificate,), keys=Keys(mine), senders=(police,)
    )
    vt = town[VT].snapshots
    return open_mail(octets, mailbox, trust=vt.trust(vt.current()), at=town.clock.now())


async def without_agreement(town, action):
    """Take the message out of every agreement of the police."""
    police = town[POLITIE]
    left = {
        id_: replace(one, bindings=tuple(b for b in one.bindings if b.action != action))
        for id_, one in police.snapshots.current().agreements.items()
    }
    await police.change(agreements=left)
