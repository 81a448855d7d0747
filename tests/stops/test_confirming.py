"""Real processes: the gate of the police goes by the word of the OM, and by nothing else."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.app import build
from gateway.cli.demo.documents import document
from gateway.cli.demo.sites import OFFICERS, POLITIE
from gateway.cli.look import look
from gateway.cli.toetsing_placing import as_it_stands
from gateway.directory import Signing
from gateway.housekeeping import Outside, gate_moved
from gateway.installation import load_installation, share
from gateway.installation_gate import Word, confirm
from gateway.keys.ended import EndedMarks
from gateway.keys.keystore import FileKeyring
from gateway.ports import Ends
from gateway.security.algorithms import RSA_SHA256, SHA256
from tests.stops.conftest import settings
from tests.stops.running import eventually
from tests.stops.test_renewing import cli

TABLE, WORD = "classification.toml", "bevestiging.xml"
LAST = f"{datetime.now(UTC) + timedelta(days=200):%Y-%m-%d}"


@pytest.fixture
def police(sites):
    """The police with a table of its own, which is that of the word: the octets are the same."""
    site = sites.by_place["politie"]
    settings(site, paths=f'classification = "{TABLE}"')
    site.config.write_text(site.config.read_text().replace("# classification", "# was", 1))
    kept = {name: (site.folder / name).read_bytes() for name in (WORD, "trust/crls/issuing.crl")}
    (site.folder / TABLE).write_bytes((share("config") / TABLE).read_bytes())
    yield site
    for name, octets in kept.items():
        (site.folder / name).write_bytes(octets)


def om_certificate(sites) -> bytes:
    pem = (sites.by_place["om"].folder / "keys" / "sign.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


async def handed_in(sites) -> str:
    """Hand in a melding without criminal data; return whether it is held."""
    octets = document(
        "vtMeldingDi01",
        zender=sites.by_place["politie"].address,
        ontvanger=sites.by_place["veilig-thuis"].address,
        referentienummer=str(uuid4()),
        zaak=f"{POLITIE.oin}-{uuid4().hex[:8]}",
        at=datetime.now(UTC),
    )
    async with sites.by_place["politie"].back_end(sites.anchors) as system:
        status, answer = await system.hand_in(octets, onderzoek=False, wpg_artikel="8")
    assert status == 202, answer
    return answer["status"]


async def done(site, *arguments) -> str:
    status, out, err = await cli(site, *arguments)
    assert status == 0, out + err
    return out


async def refused(site, *arguments) -> str:
    """Return the code of a command that changes nothing."""
    status, _, err = await cli(site, *arguments)
    assert status in {1, 2}, err
    return err.split()[1].rstrip(":")


async def not_reloaded(running, code):
    running.signal(signal.SIGHUP)
    await eventually(
        lambda: any(line["code"] == code for line in running.said("directory.not_reloaded")),
        f"{code} in the log",
    )


async def does_not_start(starter, site, code):
    running = await starter.begin(site)
    assert await running.ended() == 2
    assert code in running.log.read_text()


async def audited(site, event):
    async def rows(view):
        return await view.reader.audit(after=0, limit=500)

    found = await asyncio.to_thread(look, site.folder, rows)
    return [row.event for row in found if row.event.event == event]


async def propose(sites, police, tmp_path, version) -> tuple:
    """Let the OM confirm the table under another version; return proposal and word."""
    draft = tmp_path / f"{version}.toml"
    text = (police.folder / TABLE).read_text()
    draft.write_text(text.replace('versie = "', f'versie = "{version}-', 1))
    proposal, word = tmp_path / f"{version}.zip", tmp_path / f"{version}.xml"
    await done(police, "toetsing", "voorstel", proposal, "--tabel", draft)
    om = sites.by_place["om"]
    options = (
        "--officier",
        OFFICERS[0].id,
        "--tot",
        LAST,
        "--uit",
        word,
        "--ja",
        "--grond",
        "convenant",
    )
    said = await done(om, "toetsing", "bevestig", proposal, *options)
    assert f"{version}-" in said
    return proposal, word


async def test_a_new_word_counts_at_once_and_an_older_one_never_again(
    sites, police, starter, tmp_path
):
    om = await starter.start(sites.by_place["om"])
    running = await starter.start(police)
    assert await handed_in(sites) == "aangenomen"
    first, table = (police.folder / WORD).read_bytes(), (police.folder / TABLE).read_bytes()
    (tmp_path / "first.xml").write_bytes(first)
    old = tmp_path / "old.zip"
    await done(police, "toetsing", "voorstel", old)

    proposal, word = await propose(sites, police, tmp_path, "twee")
    assert await refused(police, "toetsing", "plaats", word) == "gate.confirmation.files"
    placed = await done(
        police, "toetsing", "plaats", word, "--voorstel", proposal, "--door", "jansen"
    )
    await eventually(
        lambda: any(line["changed"] for line in running.said("directory.reloaded")), "a new gate"
    )

    assert "lezen hun bestanden opnieuw" in placed
    assert "twee-" in await done(police, "toetsing", "toon")
    assert await handed_in(sites) == "aangenomen"
    assert [row.actor for row in await audited(police, "gate.placed")] == ["jansen"]
    assert len(await audited(police, "gate.confirmed")) == 2
    (signed,) = await audited(sites.by_place["om"], "gate.signed")
    assert POLITIE.oin in signed.data["reason"]
    assert OFFICERS[0].id in signed.data["reason"]
    assert not om.said("control.failed")

    # The old word, by the command and by hand.
    again = ("toetsing", "plaats", tmp_path / "first.xml", "--voorstel", old)
    assert await refused(police, *again) == "gate.confirmation.older"
    assert (police.folder / WORD).read_bytes() == word.read_bytes()
    (police.folder / TABLE).write_bytes(table)
    (police.folder / WORD).write_bytes(first)
    await not_reloaded(running, "gate.confirmation.older")
    assert await running.stop() == 0
    await does_not_start(starter, police, "gate.confirmation.older")


async def test_an_edited_table_does_not_load_and_the_old_one_stays(sites, police, starter):
    running = await starter.start(police)
    with (police.folder / TABLE).open("a") as table:
        table.write("\n# nothing but a comment\n")

    await not_reloaded(running, "gate.confirmation.files")

    assert await handed_in(sites) == "aangenomen"
    assert await running.stop() == 0
    await does_not_start(starter, police, "gate.confirmation.files")
    status, out, _ = await cli(police, "doctor")
    assert (status, "de bevestiging van het OM geldt niet" in out) == (1, True)


async def test_a_word_of_a_revoked_certificate_closes_the_gate(sites, police, starter):
    running = await starter.start(police)
    assert await handed_in(sites) == "aangenomen"
    sites.pki.revoke(SimpleNamespace(certificate=om_certificate(sites)), at=datetime.now(UTC))

    lists = sites.pki.crls(at=datetime.now(UTC))
    sites.pki._revoked.clear()
    (police.folder / "trust" / "crls" / "issuing.crl").write_bytes(lists[1])
    running.signal(signal.SIGHUP)
    await running.says("directory.reloaded")

    assert {line["reason"] for line in running.said("gate.unconfirmed")} == {
        "gate.confirmation.revoked"
    }
    assert await handed_in(sites) == "vastgehouden"
    assert await running.stop() == 0
    await does_not_start(starter, police, "gate.confirmation.revoked")

    # Without any word it does start, and holds.
    (police.folder / WORD).unlink()
    again = await starter.start(police)
    assert again.said("gate.unconfirmed")[0]["reason"] == "gate.unconfirmed"
    assert await handed_in(sites) == "vastgehouden"


async def test_a_word_that_ends_while_the_process_runs_ends_there_and_then(sites, police, starter):
    der, keys = om_certificate(sites), sites.by_place["om"].folder / "keys"
    bundle = as_it_stands(load_installation(police.config))
    now = datetime.now(UTC)
    until = now + timedelta(seconds=12)
    word = Word(
        id="kort",
        police=POLITIE.oin,
        files=bundle.files,
        table_version=bundle.version,
        officer=OFFICERS[0],
        taken_at=now,
        valid_until=until,
    )
    how = Signing(signature_algorithm=RSA_SHA256, digest_algorithm=SHA256, certificate=der)
    octets = confirm(word, signer=FileKeyring(keys).signer(der), signing=how)
    (police.folder / WORD).write_bytes(octets)
    running = await starter.start(police)
    before = await handed_in(sites)
    assert datetime.now(UTC) < until, "the start took too long to say anything"

    await eventually(lambda: datetime.now(UTC) > until, "the end")

    assert (before, await handed_in(sites)) == ("aangenomen", "vastgehouden")
    assert not any(line["changed"] for line in running.said("directory.reloaded"))


async def test_an_approval_that_was_withdrawn_is_not_revived_with_its_row(sites, police):
    marks = police.folder / "data" / "epochs"
    async with build(load_installation(police.config)) as app:
        one, *_ = app.snapshots.current().gate.standing
        EndedMarks(marks).end(Ends.APPROVAL, one.id)
        try:
            await app.reload()
            assert one not in app.snapshots.current().gate.standing
        finally:
            for mark in marks.glob("*.ended"):
                mark.unlink()


async def test_a_list_that_grows_stale_closes_the_gate_and_a_fresh_one_opens_it(sites, police):
    crl = police.folder / "trust" / "crls" / "issuing.crl"
    until = datetime.now(UTC) + timedelta(seconds=6)
    crl.write_bytes(sites.pki.crls(at=datetime.now(UTC), next_update=until)[1])

    async with build(load_installation(police.config)) as app:
        outside = Outside(app)

        def seen():
            """Why the gate is closed, by snapshot, alarm and metric."""
            outside.look()
            alarms = [a.reason for a in outside.alarms() if a.code == "gate.closed"]
            shown = b"gateway_gate_open 0.0" in app.metrics.exposition()[0]
            return app.snapshots.current().gate.fault, alarms, shown

        assert not await gate_moved(app)
        assert seen() == ("", [], False)
        await eventually(lambda: datetime.now(UTC) > until, "the next update")
        assert await gate_moved(app)
        await app.reload()
        stale = "gate.confirmation.revocation_unknown"
        assert seen() == (stale, [stale], True)
        assert not await gate_moved(app)

        crl.write_bytes(sites.pki.crls(at=datetime.now(UTC))[1])
        assert await gate_moved(app)
        await app.reload()
        assert seen() == ("", [], False)

        # An edited table is not a matter of time: what the process has stays.
        with (police.folder / TABLE).open("a") as table:
            table.write("\n# nothing but a comment\n")
        assert not await gate_moved(app)
