"""Where a process is killed: one table, and nothing about it in the code that it names."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Side = Literal["before", "after"]


class Role(StrEnum):
    """Whose process is killed. P hands in, K is the hub, V has the back-end that confirms."""

    P = "politie"
    K = "knooppunt"
    V = "veilig-thuis"


class Before(StrEnum):
    """What must have happened, so that the boundary is passed at all."""

    TRAFFIC = "traffic"
    """Messages come in while it runs."""
    START = "start"
    """It is killed at work, and passes the boundary while it starts again."""
    ORPHANS = "orphans"
    """As START, with old payloads in the database that no message refers to."""
    DUE = "due"
    """As START, with payloads whose time is over: their messages were confirmed."""
    OLD_KEY = "old key"
    """As START, with an epoch key that is too old, and a payload that lives under it."""
    FRESH = "fresh"
    """The installation has no data yet: traffic makes the first."""
    EMPTY = "empty"
    """It starts for the first time."""
    REPEATED = "repeated"
    """Politie is killed between sending and settling: it sends the same message again."""
    MAIL = "mail"
    """The knooppunt is gone, and an operator has everything sent by e-mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """One place between two steps."""

    name: str
    step: str
    side: Side
    """Of the call."""
    place: str
    """`module:name` or `module:Class.name` of what is called."""
    which: str = ""
    """Only calls that are about this; see `hooks.words`. Empty = every call."""
    roles: tuple[Role, ...]
    before: Before = Before.TRAFFIC

    @property
    def beside(self) -> bool:
        """Whether an operator does it on PostgreSQL, beside the process that is killed."""
        return self.which == "Switch"


P, K, V = Role.P, Role.K, Role.V
ALL = (P, K, V)
_WRITER = "gateway.store.commit:Committer"
_BEGIN, _COMMIT = f"{_WRITER}._begin", f"{_WRITER}._commit"
_KEYS = "gateway.keys.epochs:EpochKeys"
_HTTP = "aiohttp.web_protocol:RequestHandler.finish_response"


def _at(
    name: str,
    side: Side,
    place: str,
    roles: tuple[Role, ...],
    *,
    which: str = "",
    before: Before = Before.TRAFFIC,
) -> Boundary:
    step = name.partition(" ")[0].rstrip(":")
    return Boundary(
        name=name, step=step, side=side, place=place, which=which, roles=roles, before=before
    )


def _commit(
    name: str, which: str, run: str, roles: tuple[Role, ...], before: Before = Before.TRAFFIC
) -> tuple[Boundary, ...]:
    """The four places of a commit. After it, before anybody hears of it, is the last."""
    return (
        _at(f"{name}: before BEGIN", "before", _BEGIN, roles, which=which, before=before),
        _at(f"{name}: written, not flushed", "after", run, roles, which=which, before=before),
        _at(f"{name}: before COMMIT", "before", _COMMIT, roles, which=which, before=before),
        _at(f"{name}: after COMMIT", "after", _COMMIT, roles, which=which, before=before),
    )


def _key(name: str, side: Side, place: str, *, which: str = "") -> Boundary:
    name = f"destroy epoch key: {name}"
    return _at(name, side, place, ALL, which=which, before=Before.OLD_KEY)


def _mail(name: str, side: Side, place: str) -> Boundary:
    return _at(name, side, place, (P,), before=Before.MAIL)


def _letter(name: str, side: Side, place: str) -> Boundary:
    return _at(name, side, place, (V,), before=Before.MAIL)


BOUNDARIES: tuple[Boundary, ...] = (
    # start: tables, directory, duties, ports
    _at("start tables: made", "after", "alembic.command:upgrade", ALL, before=Before.EMPTY),
    _at("start tables: kept", "after", "gateway.store.store:upgrade", ALL, before=Before.EMPTY),
    *_commit(
        "start directory", "SyncEpoch", "gateway.store.epoch:SyncEpoch.run", ALL, Before.EMPTY
    ),
    *_commit("start duty", "TakeDuty", "gateway.store.duties:TakeDuty.run", ALL, Before.START),
    _at("start listen", "before", "gateway.service:_listen", ALL, before=Before.START),
    _at("start listening", "after", "gateway.service:_listen", ALL, before=Before.START),
    # receive: from the first octet to a judged document
    _at("receive headers", "before", "gateway.web.inbound.ebms:_Endpoint.post", ALL),
    _at("receive body", "before", "gateway.pipeline.receive:Receiver.receive", ALL),
    _at("receive read", "before", "gateway.pipeline.receive:open_message", ALL),
    _at("receive opened", "after", "gateway.pipeline.receive:open_message", ALL),
    _at("receive judged", "after", "gateway.pipeline.judge:validate", ALL),
    _at("receive hand-in", "before", "gateway.pipeline.handin:HandingIn.hand_in", (P,)),
    # admit: payload ahead, then one commit
    _at("admit payload: start", "before", "gateway.store.payloads:SqlPayloads.put", ALL),
    *_commit("admit payload", "Begin", "gateway.store.payloads:Begin.run", ALL),
    _at("admit payload: stored", "after", "gateway.store.payloads:SqlPayloads.put", ALL),
    _at("admit start", "before", "gateway.store.inbox:SqlInbox.admit", ALL),
    *_commit("admit", "Admit", "gateway.store.inbox:Admit.run", ALL),
    _at("admit done", "after", "gateway.store.inbox:SqlInbox.admit", ALL),
    _at("admit hand-in: before 202", "before", _HTTP, (P,), which="POST berichten"),
    _at("admit hand-in: after 202", "after", _HTTP, (P,), which="POST berichten"),
    # acknowledge: signed in the same commit, sent by the queue, settles at the other side
    _at("acknowledge signed", "after", "gateway.pipeline.answers:acknowledgment", ALL),
    _at("acknowledge before 2xx", "before", _HTTP, ALL, which="POST ebms"),
    _at("acknowledge after 2xx", "after", _HTTP, ALL, which="POST ebms"),
    _at("acknowledge post", "before", "gateway.pipeline.deliver:Delivering._signal", ALL),
    _at("acknowledge posted", "after", "gateway.pipeline.deliver:Delivering._signal", ALL),
    *_commit("acknowledge sent", "Settle signaal", "gateway.store.queue:Settle.run", ALL),
    _at("acknowledge taken", "before", "gateway.store.signals:SqlSignals.receive", ALL),
    *_commit("acknowledge taken", "Receive", "gateway.store.signals:Receive.run", ALL),
    _at("acknowledge settled", "after", "gateway.store.signals:SqlSignals.receive", ALL),
    *_commit(
        "acknowledge again",
        "RepeatAcknowledgment",
        "gateway.store.inbox:RepeatAcknowledgment.run",
        (K,),
        Before.REPEATED,
    ),
    # claim
    _at("claim start", "before", "gateway.store.queue:SqlQueue.claim", ALL),
    *_commit("claim", "ClaimDue", "gateway.store.claim:ClaimDue.run", ALL),
    _at("claim done", "after", "gateway.store.queue:SqlQueue.claim", ALL),
    *_commit("claim put back", "Sweep", "gateway.store.sweep:Sweep.run", ALL, Before.START),
    # send: gate, sign once, keep the signed envelope, encrypt, post
    _at(
        "send start",
        "before",
        "gateway.pipeline.deliver:Delivering.deliver",
        ALL,
        which="bericht",
    ),
    _at("send loaded", "after", "gateway.pipeline.proving:Proving.look", ALL, which="Claim"),
    _at("send signed", "after", "gateway.security.seal:sign_message", ALL),
    _at("send keep", "before", "gateway.store.queue:SqlQueue.sealed", ALL),
    *_commit("send keep", "KeepSealed", "gateway.store.queue:KeepSealed.run", ALL),
    _at("send encrypted", "after", "gateway.security.seal:encrypt_message", ALL),
    _at("send post", "before", "gateway.outbound.ebms:EbmsClient.post", ALL),
    _at("send answered", "after", "gateway.outbound.ebms:EbmsClient.post", ALL),
    # settle
    _at("settle start", "before", "gateway.store.queue:SqlQueue.settle", ALL, which="bericht"),
    *_commit("settle", "Settle bericht", "gateway.store.queue:Settle.run", ALL),
    _at("settle done", "after", "gateway.store.queue:SqlQueue.settle", ALL, which="bericht"),
    # confirm: the back-end takes, reads, confirms; the Bv01 marks its origin
    _at("confirm take", "before", "gateway.store.postvak:SqlPostvak.take", (V,)),
    *_commit("confirm take", "Take", "gateway.store.postvak:Take.run", (V,)),
    _at("confirm before shown", "before", _HTTP, (V,), which="GET postvak"),
    _at("confirm after shown", "after", _HTTP, (V,), which="GET postvak"),
    _at("confirm before content", "before", _HTTP, (V,), which="GET inhoud"),
    _at("confirm start", "before", "gateway.pipeline.postvak:Closing.close", (V,)),
    _at("confirm answer made", "after", "gateway.pipeline.answers:own_answer", (V,)),
    *_commit("confirm", "Close", "gateway.store.postvak:Close.run", (V,)),
    _at("confirm before 200", "before", _HTTP, (V,), which="POST bevestiging"),
    _at("confirm after 200", "after", _HTTP, (V,), which="POST bevestiging"),
    _at("confirm origin marked", "after", "gateway.store.inbox:_mark_answered", (P, K)),
    # mail: from the ground that a person gave to the answer that closes the letter
    *_commit("mail switch", "Switch", "gateway.store.switching:Switch.run", (P,), Before.MAIL),
    _mail("mail start", "before", "gateway.pipeline.mailing:Mailing.attempt"),
    _mail("mail sealed", "after", "gateway.pipeline.mailing:seal_mail"),
    _mail("mail send", "before", "gateway.outbound.mail:MailClient.send"),
    _mail("mail proved", "after", "gateway.outbound.mail:open_session"),
    _mail("mail envelope", "after", "gateway.outbound.smtp:Session.envelope"),
    *_commit("mail leaves", "Posting", "gateway.store.queue:Posting.run", (P,), Before.MAIL),
    _mail("mail before the letter", "before", "gateway.outbound.smtp:Session.data"),
    _mail("mail before its last octet", "before", "gateway.outbound.smtp:Session._end"),
    _mail("mail after its last octet", "after", "gateway.outbound.smtp:Session._end"),
    _mail("mail answered", "after", "gateway.outbound.mail:MailClient.send"),
    *_commit("mail settle", "Settle bericht", "gateway.store.queue:Settle.run", (P,), Before.MAIL),
    # letter: what comes in by LMTP
    _letter("letter comes", "before", "gateway.pipeline.incoming:Incoming.take"),
    _letter("letter opened", "after", "gateway.pipeline.incoming:open_mail"),
    *_commit("letter admit", "Admit", "gateway.store.inbox:Admit.run", (V,), Before.MAIL),
    _letter("letter taken", "after", "gateway.pipeline.incoming:Incoming.take"),
    _letter("letter receipt sealed", "after", "gateway.pipeline.mailing:sealed_receipt"),
    _mail("letter receipt comes", "before", "gateway.store.postings:SqlReceipts.take"),
    *_commit(
        "letter receipt",
        "TakeReceipt",
        "gateway.store.postings:TakeReceipt.run",
        (P,),
        Before.MAIL,
    ),
    # destroy: what is due, orphans, keys at the end of their time, and keys that are being made
    *_commit("destroy", "Dispose", "gateway.store.disposal:Dispose.run", ALL, Before.DUE),
    *_commit(
        "destroy orphans",
        "SweepOrphans",
        "gateway.store.payloads:SweepOrphans.run",
        ALL,
        Before.ORPHANS,
    ),
    _at(
        "destroy epoch key: none yet",
        "before",
        f"{_KEYS}._make",
        ALL,
        before=Before.FRESH,
    ),
    _at("destroy epoch key: draft", "before", "pathlib:Path.rename", ALL, before=Before.FRESH),
    _at(
        "destroy epoch key: named",
        "before",
        f"{_KEYS}._sync_folder",
        ALL,
        before=Before.FRESH,
    ),
    *_commit(
        "destroy epoch key: moved on",
        "Rewrap",
        "gateway.store.rekeying:Rewrap.run",
        ALL,
        Before.OLD_KEY,
    ),
    _key("close", "before", f"{_KEYS}.close"),
    _key("closed", "after", f"{_KEYS}.close"),
    _key("unused?", "before", _COMMIT, which="Unused"),
    _key("overwrite", "before", f"{_KEYS}.destroy"),
    _key("overwritten", "after", "gateway.keys.epochs:_overwrite"),
    _key("gone", "after", f"{_KEYS}.destroy"),
    *_commit(
        "destroy epoch key: told",
        "Destroyed",
        "gateway.store.rekeying:Destroyed.run",
        ALL,
        Before.OLD_KEY,
    ),
    _key("forget", "before", f"{_KEYS}.forget"),
    _key("forgotten", "after", f"{_KEYS}.forget"),
)
