"""A folder holds one run, one process writes to it, and what it does not take leaves nothing behind."""

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from exmc_actors.errors import StoreError
from exmc_actors.runtime import Settings
from exmc_actors.runtime.journal import (
    Head,
    LengthRecord,
    MakerRecord,
    create,
    open_again,
    read,
    segments,
)
from exmc_actors.runtime.journal import journal as journal_module
from exmc_actors.wire.frames import framed

HEAD = Head(Settings(draws=10), b"model", 3, {})


def note(number):
    return MakerRecord({"number": str(number)})


def numbers(kept):
    return [int(record.maker["number"]) for record in kept.records]


def test_what_is_appended_is_there_for_who_reads_meanwhile_and_afterwards(tmp_path):
    with create(tmp_path / "deep" / "run", HEAD) as journal:
        journal.append(note(0))
        assert numbers(read(tmp_path / "deep" / "run")) == [0]
        journal.append(note(1))
    kept = read(tmp_path / "deep" / "run")
    assert numbers(kept) == [0, 1]
    assert (kept.head.model, kept.head.settings.draws, kept.damages) == (b"model", 10, ())


def test_a_run_goes_on_behind_what_is_there(tmp_path):
    with create(tmp_path, HEAD) as journal:
        journal.append(note(0))
    with open_again(tmp_path) as (journal, kept):
        assert numbers(kept) == [0]
        journal.append(note(1))
    assert numbers(read(tmp_path)) == [0, 1]


def test_the_last_word_on_the_length_counts(tmp_path):
    with create(tmp_path, HEAD) as journal:
        journal.append(LengthRecord(20))
        journal.append(LengthRecord(30))
    assert read(tmp_path).head.settings.draws == 30


def test_segments_follow_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 100)
    with create(tmp_path, HEAD) as journal:
        for number in range(20):
            journal.append(note(number))
    assert len(segments.segments_of(tmp_path)) > 3
    with open_again(tmp_path) as (journal, kept):
        assert numbers(kept) == list(range(20))
        journal.append(note(20))
    assert numbers(read(tmp_path)) == list(range(21))


def test_a_second_run_is_refused(tmp_path):
    with create(tmp_path, HEAD):
        pass
    with pytest.raises(StoreError, match="holds a run already: go on with it by ex"):
        create(tmp_path, HEAD).__enter__()


class FullDisk:
    """Take so many writes, and no more."""

    def __init__(self, room):
        self.room = room

    def pwrite(self, fd, buffer, offset):
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= 1
        return os.pwrite(fd, buffer, offset)

    fsync = staticmethod(os.fsync)


@pytest.mark.parametrize("room", [0, 1])
def test_a_journal_that_cannot_be_begun_leaves_its_folder_to_another_one(room, tmp_path):
    with pytest.raises(StoreError, match="No space left"):
        create(tmp_path, HEAD, FullDisk(room)).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    with create(tmp_path, HEAD):
        pass


def _open_in_another_process(folder, answers):
    try:
        with open_again(folder):
            answers.put("opened")
    except StoreError as error:
        answers.put(str(error))


def test_two_processes_cannot_write_to_one_folder(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    with create(tmp_path, HEAD):
        other = spawn.Process(target=_open_in_another_process, args=(tmp_path, answers))
        other.start()
        assert "is being written to by another run" in answers.get(timeout=60)
        other.join()
        with pytest.raises(StoreError, match="is being written to by another run"):
            open_again(tmp_path).__enter__()
    with open_again(tmp_path):
        pass


def test_an_empty_folder_holds_no_run(tmp_path):
    for open_it in (read, lambda folder: open_again(folder).__enter__()):
        with pytest.raises(StoreError, match="holds no run"):
            open_it(tmp_path)


@pytest.mark.parametrize(
    ("left", "sentence"),
    [
        ([], "holds no run"),
        (["head"], "have vanished while they were read, as when it is cancelled"),
        (["head", "000001.journal"], "have vanished while they were read"),
    ],
)
@pytest.mark.parametrize("moment", ["000001.journal", "000002.journal"])
def test_a_run_that_is_removed_while_it_is_read_is_told_in_a_sentence(
    left, sentence, moment, tmp_path, monkeypatch
):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 1)
    with create(tmp_path, HEAD) as journal:
        journal.append(note(1))
        journal.append(note(2))
    read_bytes = Path.read_bytes

    def read_late(path):
        if path.name == moment:
            for one in tmp_path.iterdir():
                if one.name not in left:
                    one.unlink()
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read_late)
    with pytest.raises(StoreError, match=sentence):
        read(tmp_path)


def test_files_that_vanish_before_they_are_looked_for_leave_no_run(tmp_path, monkeypatch):
    with create(tmp_path, HEAD):
        pass
    look = journal_module.read_segments

    def look_late(folder, take):
        for name in ("000001.journal", "head"):
            (folder / name).unlink()
        return look(folder, take)

    monkeypatch.setattr(journal_module, "read_segments", look_late)
    with pytest.raises(StoreError, match="holds no run"):
        read(tmp_path)


def test_a_folder_that_may_not_be_read_is_told_in_a_sentence(tmp_path, monkeypatch):
    with create(tmp_path, HEAD):
        pass

    def refused(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    for look in (read, journal_module.read_head):
        with pytest.raises(StoreError, match="cannot be used: Permission denied"):
            look(tmp_path)


def test_a_foreign_file_is_refused(tmp_path):
    (tmp_path / "000001.journal").write_bytes(b"something else" * 10)
    with pytest.raises(StoreError, match="is no journal of exmc_actors"):
        read(tmp_path)


def test_a_newer_format_is_refused_and_not_taken_for_damage(tmp_path, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(segments, "_VERSION", 2)
        with create(tmp_path, HEAD):
            pass
    with pytest.raises(StoreError, match="is of version 2, and this library reads version 1"):
        read(tmp_path)


def test_either_copy_of_the_head_is_enough(tmp_path):
    with create(tmp_path, HEAD) as journal:
        journal.append(note(0))
    whole = (tmp_path / "head").read_bytes()
    (tmp_path / "head").write_bytes(whole[:-1])
    kept = read(tmp_path)
    assert (kept.head.model, kept.damages, numbers(kept)) == (b"model", ("head",), [0])
    (tmp_path / "head").write_bytes(whole)
    first = tmp_path / "000001.journal"
    data = bytearray(first.read_bytes())
    data[60] ^= 1
    first.write_bytes(data)
    kept = read(tmp_path)
    assert (kept.head.model, numbers(kept)) == (b"model", [0])
    assert kept.damages[0].startswith("000001.journal, bytes ")


def test_a_process_that_ended_before_its_first_segment_has_left_a_run_without_draws(tmp_path):
    with create(tmp_path, HEAD):
        pass
    whole = (tmp_path / "000001.journal").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "000001.journal").write_bytes(whole[:length])
        with open_again(tmp_path) as (journal, kept):
            assert (kept.head.model, kept.records, kept.damages) == (b"model", (), ())
            journal.append(note(1))
        assert numbers(read(tmp_path)) == [1]
    (tmp_path / "000001.journal").unlink()
    assert read(tmp_path).records == ()


def test_a_segment_that_is_missing_is_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 100)
    with create(tmp_path, HEAD) as journal:
        for number in range(20):
            journal.append(note(number))
    (tmp_path / "000002.journal").unlink()
    with pytest.raises(StoreError, match=r"lacks 000002.journal: copy the store again"):
        read(tmp_path)


def test_what_is_cut_off_a_segment_that_is_not_the_last_is_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 100)
    with create(tmp_path, HEAD) as journal:
        for number in range(20):
            journal.append(note(number))
    second = tmp_path / "000002.journal"
    second.write_bytes(second.read_bytes()[: -len(framed(b""))])
    kept = read(tmp_path)
    assert len(numbers(kept)) == 19
    assert any("000002.journal" in one for one in kept.damages)


@pytest.mark.parametrize("room", [0, 1, 17, 30])
def test_a_full_disk_takes_all_or_nothing_and_may_be_tried_again(tmp_path, monkeypatch, room):
    left = [10**6]
    pwrite = os.pwrite

    def full(file, data, at):
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = min(left[0], len(data))
        left[0] -= taken
        return pwrite(file, data[:taken], at)

    monkeypatch.setattr(os, "pwrite", full)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 250)
    with create(tmp_path, HEAD) as journal:
        for number in range(10):
            left[0] = room
            with pytest.raises(OSError, match="No space left"):
                journal.append(note(number))
            assert numbers(read(tmp_path)) == list(range(number))
            left[0] = 10**6
            journal.append(note(number))
    kept = read(tmp_path)
    assert (numbers(kept), kept.damages) == (list(range(10)), ())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        create(tmp_path / "file" / "run", HEAD).__enter__()


def test_what_the_user_raises_is_not_taken_for_trouble_with_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="mine"), create(tmp_path, HEAD):
        raise FileNotFoundError("mine")
