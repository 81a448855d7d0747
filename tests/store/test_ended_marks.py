"""Marks of what was withdrawn: files that no database has."""

import pytest

from gateway.errors import StoreUnavailable
from gateway.keys.ended import EndedMarks
from gateway.ports import Ends


def test_a_mark_is_seen_by_every_process(tmp_path):
    one, other = EndedMarks(tmp_path), EndedMarks(tmp_path)
    assert not other.is_ended(Ends.RULING, "B-1")

    one.end(Ends.RULING, "B-1")
    one.end(Ends.RULING, "B-1")

    assert other.is_ended(Ends.RULING, "B-1")
    assert not other.is_ended(Ends.APPROVAL, "B-1")
    assert not other.is_ended(Ends.RULING, "B-2")


@pytest.mark.parametrize("id_", ["../../etc/passwd", "a" * 256, "é/\n", ""])
def test_any_name_of_a_decision_fits(tmp_path, id_):
    folder = tmp_path / "epochs"
    folder.mkdir()
    marks = EndedMarks(folder)

    marks.end(Ends.RULING, id_)

    assert marks.is_ended(Ends.RULING, id_)
    (file,) = tmp_path.rglob("*.ended")
    assert (file.parent, file.stat().st_size, file.stat().st_mode & 0o077) == (folder, 0, 0)


def test_what_can_not_be_written_counts_here_and_is_written_later(tmp_path):
    folder = tmp_path / "away"
    marks = EndedMarks(folder)
    marks.end(Ends.RULING, "B-1")
    assert marks.is_ended(Ends.RULING, "B-1")

    marks.settle()
    folder.mkdir()
    marks.settle()

    assert EndedMarks(folder).is_ended(Ends.RULING, "B-1")


def test_what_can_not_be_read_is_not_taken_as_good(tmp_path):
    file = tmp_path / "epochs"
    file.write_bytes(b"")

    with pytest.raises(StoreUnavailable, match=r"store\.disk"):
        EndedMarks(file).is_ended(Ends.RULING, "B-1")


def test_under_a_decision_one_envelope_is_sent_however_often_and_by_whatever_process(tmp_path):
    one, other = EndedMarks(tmp_path), EndedMarks(tmp_path)

    assert one.use("B-1:vt", "aa")
    assert other.use("B-1:vt", "aa")
    assert not other.use("B-1:vt", "bb")
    assert not one.use("B-1:vt", "bb")
    assert other.use("B-1:halt", "bb")


def test_exactly_what_was_proposed_is_known_to_every_process(tmp_path):
    EndedMarks(tmp_path).propose("B-1: vrijgeven")

    assert EndedMarks(tmp_path).is_proposed("B-1: vrijgeven")
    assert not EndedMarks(tmp_path).is_proposed("B-1: vrijgeven, zonder voorwaarden")
    assert not EndedMarks(tmp_path).is_accepted("B-1: vrijgeven")


def test_what_can_not_be_marked_is_not_sent(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"store\.disk"):
        EndedMarks(tmp_path / "away").use("B-1:vt", "aa")
