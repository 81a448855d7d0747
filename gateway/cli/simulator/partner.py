"""A partner over the real wire: takes messages in, acknowledges, answers, and lies when told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import assert_never

from gateway.app import SystemClock
from gateway.cli.simulator.documents import BELONGS, Made, Maker, Order, receipt
from gateway.cli.simulator.errands import Errands
from gateway.cli.simulator.fields import fields
from gateway.cli.simulator.journal import IN, OUT, OWN, Journal
from gateway.cli.simulator.outbox import Outbox, told_errors
from gateway.cli.simulator.recognise import Recogniser
from gateway.cli.simulator.safety import refuse_production
from gateway.cli.simulator.schemas import as_partner
from gateway.cli.simulator.script import (
    GEEN,
    VANZELF,
    Bevestiging,
    Ontvangst,
    PartnerReactie,
    PartnerScript,
    PartnerZending,
    Storing,
)
from gateway.cli.simulator.seals import Seals
from gateway.cli.simulator.station import Down, Reply, Station
from gateway.directory import Agreement, Directory, Party
from gateway.errors import (
    GatewayError,
    Malformed,
    Misconfigured,
    PolicyViolation,
    Refused,
    SchemaViolation,
)
from gateway.installation import Installation, load_directory, share
from gateway.keys.keystore import FileKeyring
from gateway.message import (
    Acknowledgment,
    Address,
    ErrorList,
    Manifest,
    MshAnswer,
    MshRequest,
    Oin,
    Peer,
    WireMessage,
)
from gateway.outbound.ebms import EbmsClient
from gateway.outbound.tls import KeyPair, server_context
from gateway.security.certificates import TrustStore, Usage, acts_for
from gateway.security.open import Opened
from gateway.snapshots import load_schemas
from gateway.wire.ebms2 import signals
from gateway.wire.fout import Fout, fout_for
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import ANSWERS, Document, read_document, value_of


@dataclass(frozen=True, slots=True)
class Fixed:
    """A directory that does not change while the simulator runs."""

    directory: Directory
    store: TrustStore
    set: SchemaSet

    def current(self) -> Directory:
        return self.directory

    async def moved(self, epoch: int) -> bool:
        del epoch
        return False

    def trust(self, directory: Directory) -> TrustStore:
        del directory
        return self.store

    def schemas(self, directory: Directory) -> SchemaSet:
        del directory
        return self.set


@dataclass(slots=True, kw_only=True)
class _Taken:
    """A message that came in, and how it is acknowledged."""

    opened: Opened
    document: Document
    plan: PartnerReactie
    attempts: int = 0


@dataclass(slots=True, kw_only=True)
class Partner:
    """One party that plays by a script. What it knows is gone when it ends."""

    directory: Directory
    seals: Seals
    outbox: Outbox
    maker: Maker
    rules: Recogniser[PartnerReactie]
    journal: Journal
    clock: SystemClock
    errands: Errands
    _taken: dict[str, _Taken] = field(default_factory=dict)
    _plans: dict[str, PartnerReactie] = field(default_factory=dict)

    # --- what comes in ----------------------------------------------------------------

    async def take(self, body: bytes, content_type: str, peer: Peer) -> Reply | Down:
        """Take one HTTP body in."""
        try:
            opened = self.seals.open(body, content_type)
            self._match(opened, peer)
            return self._opened(opened)
        except GatewayError as error:
            self.journal.say(IN, "onbewezen invoer", f"geweigerd: {error.code}")
            fault = WireMessage(body=signals.soap_fault(error), content_type="text/xml")
            return Reply(status=500 if isinstance(error, Refused) else 503, message=fault)

    def back(self) -> None:
        """Tell that an outage is over."""
        self.journal.say(OWN, "storing", "voorbij")

    def _match(self, opened: Opened, peer: Peer) -> None:
        """The TLS peer must be the sender, as with a real partner."""
        identity = self.seals.trust.judge(peer.certificate, Usage.TLS_CLIENT, self.clock.now())
        party = self.directory.party(opened.sender.id)
        if party is None or not acts_for(identity, party):
            raise PolicyViolation("peer.oin", "TLS client certificate is not of the sender")

    def _opened(self, opened: Opened) -> Reply | Down:
        match opened.content:
            case Manifest():
                return self._message(opened)
            case Acknowledgment():
                name, about = self.outbox.acknowledged(opened.content.ref_to_message_id)
                self.journal.say(
                    IN, "Acknowledgment", f"op {name or 'iets onbekends'}", about=about
                )
            case ErrorList():
                told = told_errors(opened.content)
                self.outbox.refused(opened.header.ref_to_message_id or "", told)
                self.journal.say(IN, "MessageError", told)
            case MshRequest() | MshAnswer():
                raise Malformed("header.not_supported", "MSH service request is not supported")
            case _:
                assert_never(opened.content)
        return Reply()

    def _message(self, opened: Opened) -> Reply | Down:
        taken = self._taken.get(opened.header.message_id)
        if taken is None:
            done = self._new(opened)
            if isinstance(done, Down):
                return done
            taken = self._taken[opened.header.message_id] = done
            self.errands.begin(self._react(taken))
        else:
            about = taken.document.stuurgegevens.referentienummer
            self.journal.say(IN, taken.document.name, "opnieuw ontvangen", about=about)
        taken.attempts += 1
        self._acknowledge(taken)
        return Reply()

    def _new(self, opened: Opened) -> _Taken | Down:
        document = read_document(opened.payloads[0].octets)
        head = document.stuurgegevens
        message_id = opened.header.message_id
        plan = self._plans.get(message_id)
        if plan is None:
            name, plan = self.rules.plan(document)
            told = self._told(document) + (f" ({name})" if name else "")
            self._plans[message_id] = plan.model_copy(update={"storing": Storing.GEEN})
            if plan.storing is not Storing.GEEN:
                text = f"niet aangenomen ({name}): storing {plan.storing.value}"
                text += f", {plan.storing_seconden:g} s"
                self.journal.say(IN, document.name, text, about=head.referentienummer)
                return Down(how=plan.storing, seconds=plan.storing_seconden)
        else:
            told = "ontvangen na de storing"
        about, on = head.referentienummer, head.cross_refnummer
        self.journal.say(IN, document.name, told, about=about, on=on)
        return _Taken(opened=opened, document=document, plan=plan)

    def _acknowledge(self, taken: _Taken) -> None:
        opened, plan = taken.opened, taken.plan
        if not opened.header.ack_requested:
            return
        wrong = plan.bevestiging_pogingen == 0 or taken.attempts <= plan.bevestiging_pogingen
        how = plan.bevestiging if wrong else Bevestiging.GOED
        about = taken.document.stuurgegevens.referentienummer
        text = "verzonden" if how is Bevestiging.GOED else f"met opzet: {how.value}"
        self.journal.say(OUT, "Acknowledgment", text, about=about)
        if how is not Bevestiging.GEEN:
            message = self.seals.acknowledgment(opened, how)
            channel = opened.agreement.signals[self.seals.oin]
            self.errands.begin(self.outbox.signal(message, channel))

    # --- what is answered -------------------------------------------------------------

    async def _react(self, taken: _Taken) -> None:
        document, plan = taken.document, taken.plan
        if document.name in ANSWERS:
            return
        fout = self._judge(taken)
        await asyncio.sleep(plan.wacht)
        await self._receipt(taken, fout)
        await self._answer(taken, refused=fout is not None)

    def _judge(self, taken: _Taken) -> Fout | None:
        """Return why the message is refused: its schema, or the script."""
        found = self.maker.findings(taken.document, self._version(taken))
        if found:
            told = "; ".join(f"{one.code} {one.path}" for one in found)
            self.journal.say(OWN, taken.document.name, f"breekt het schema: {told}")
            return fout_for(SchemaViolation(found))
        if taken.plan.ontvangst is Ontvangst.FO01:
            plan = taken.plan
            return Fout(code=plan.fout_code, plek="server", omschrijving=plan.fout_tekst)
        return None

    def _version(self, taken: _Taken) -> str:
        return self.directory.services.get(taken.opened.header.service, "")

    async def _receipt(self, taken: _Taken, fout: Fout | None) -> None:
        plan = taken.plan
        if plan.ontvangst is Ontvangst.GEEN and fout is None:
            self.journal.say(OUT, "Bv01Bericht", "met opzet: geen")
            return
        made = receipt(
            taken.document,
            version=self._version(taken),
            at=self.clock.now(),
            fout=fout,
            wrong=plan.leugen_ontvangst,
        )
        await self.outbox.send(made, taken.opened.agreement, lie=plan.leugen_ontvangst)

    async def _answer(self, taken: _Taken, *, refused: bool) -> None:
        plan, request = taken.plan, taken.document
        name = BELONGS.get(request.name, GEEN) if plan.antwoord == VANZELF else plan.antwoord
        if name == GEEN or (plan.antwoord == VANZELF and refused):
            return
        head = request.stuurgegevens
        if head.zender is None or head.ontvanger is None:
            return
        await asyncio.sleep(plan.wacht_antwoord)
        made = self._make(name, zender=head.ontvanger, ontvanger=head.zender, like=plan, to=request)
        if made is not None:
            agreement = taken.opened.agreement
            await self.outbox.send(made, agreement, lie=plan.leugen, double=plan.dubbel)

    def _make(
        self,
        name: str,
        *,
        zender: Address,
        ontvanger: Address,
        like: PartnerReactie | PartnerZending,
        to: Document | None,
    ) -> Made | None:
        """Make a document; what can not be made is told, and the play goes on."""
        texts = like.uitkomst if isinstance(like, PartnerReactie) else like.velden
        kind = self.maker.kind(name)
        if kind is None:
            self.journal.say(OUT, name, "niet gemaakt: geen bericht of voorbeeld in de catalogus")
            return None
        order = Order(
            name=name,
            version=kind.version,
            zender=zender,
            ontvanger=ontvanger,
            at=self.clock.now(),
            request=to,
            texts=texts,
            case=None if isinstance(like, PartnerReactie) else like.zaak,
            lie=like.leugen,
        )
        try:
            return self.maker.make(order)
        except GatewayError as error:
            self.journal.say(OUT, name, f"niet gemaakt: {error.code} {error.where}")
            return None

    def _told(self, document: Document) -> str:
        """Return what a Bv01 or Fo01 is about; of other messages there is nothing to tell."""
        if document.name not in ANSWERS:
            return "ontvangen"
        codes = [value_of(e) for e in fields(document.tree, "body/code")]
        on = self.outbox.sent(document.stuurgegevens.cross_refnummer) or "iets onbekends"
        return " ".join([f"ontvangen op {on}", *codes])

    # --- what is begun ----------------------------------------------------------------

    async def start(self, zending: PartnerZending, partner: Party, agreement: Agreement) -> None:
        """Send messages of our own accord, at their pace."""
        await asyncio.sleep(zending.na)
        own = self.directory.parties[self.directory.me]
        for number in range(zending.aantal):
            if number:
                await asyncio.sleep(zending.tempo)
            made = self._make(
                zending.bericht,
                zender=Address(organisatie=own.oin, applicatie=own.applicaties[0]),
                ontvanger=Address(organisatie=partner.oin, applicatie=partner.applicaties[0]),
                like=zending,
                to=None,
            )
            if made is not None:
                self.errands.begin(
                    self.outbox.send(made, agreement, lie=zending.leugen, double=zending.dubbel)
                )


@asynccontextmanager
async def open_partner(
    installation: Installation, script: PartnerScript, journal: Journal
) -> AsyncIterator[Partner]:
    """Open the port and play until the block ends.

    Raises Misconfigured `simulator.production`, `simulator.agreement`, and whatever is wrong
    with the folder as `gateway serve` would say it.
    """
    directory = load_directory(installation, epoch=0, activations=as_partner(installation))
    refuse_production(installation, directory)
    settings = installation.settings
    ebms = settings.listen.ebms
    identity = KeyPair(
        certificate=installation.path(ebms.certificate), key=installation.path(ebms.key)
    )
    clock, trust = SystemClock(), TrustStore(directory.trust)
    agreement, other = _counterpart(directory, clock)
    seals = Seals(
        oin=directory.me,
        directory=directory,
        trust=trust,
        keyring=FileKeyring(installation.path(settings.paths.keys)),
    )
    schemas, folder = load_schemas(installation, directory), settings.paths.schemas
    fixed = Fixed(directory, trust, schemas)
    network = EbmsClient(snapshots=fixed, clock=clock, identities=(identity,))
    partner = Partner(
        directory=directory,
        seals=seals,
        outbox=Outbox(seals=seals, network=network, journal=journal, partner=other.oin),
        maker=Maker(
            directory.catalogue,
            schemas,
            share("schemas") if folder is None else installation.path(folder),
        ),
        rules=Recogniser(script.standaard, script.regels),
        journal=journal,
        clock=clock,
        errands=Errands(journal),
    )
    station = Station(
        host=ebms.host,
        port=ebms.port,
        path=ebms.path,
        tls=server_context(identity, clients=directory.trust),
        take=partner.take,
        back=partner.back,
        trouble=journal.note,
    )
    await station.open()
    for zending in script.stuur:
        partner.errands.begin(partner.start(zending, other, agreement))
    try:
        journal.note(f"{settings.naam} luistert op {ebms.host}:{ebms.port}{ebms.path}")
        yield partner
    finally:
        await station.close()
        await partner.errands.close()
        await network.close()


def _counterpart(directory: Directory, clock: SystemClock) -> tuple[Agreement, Party]:
    """Return the newest agreement in force, and the party at its other side."""
    now = clock.now()
    mine = [a for a in directory.agreements.values() if a.in_force(now)]
    for agreement in sorted(mine, key=lambda a: (a.start, a.cpa_id), reverse=True):
        other = directory.party(Oin(agreement.other(directory.me).id))
        if other is not None:
            return agreement, other
    raise Misconfigured("simulator.agreement", "Er is geen CPA van kracht met een bekende partij.")
