"""Files that are whole or not there, and what stands in for what Windows and macOS lack."""

import hashlib
import os
import subprocess
import sys
import types

import pytest

from rts_tf import locks, storage
from rts_tf.errors import RtsError
from tests.support.paths import ROOT


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    storage.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), storage.atomic_path(path) as temporary:
        temporary.write_text("half")
        assert temporary.parent == tmp_path and temporary.suffix == ".txt"
        raise ZeroDivisionError
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]
    storage.write_text(path, "sécond")
    assert path.read_text(encoding="utf-8") == "sécond" and names(tmp_path) == ["a.txt"]


# 255 bytes each, as long as a name can be: one byte or three for a letter, with a long suffix
LONG = ("a" * 251 + ".png", "\u5c71" * 83 + "ab.png", "a" * 100 + "." + "b" * 154)


@pytest.mark.parametrize("name", LONG)
def test_the_longest_names(tmp_path, name):
    assert len(name.encode()) == 255
    storage.write_text(tmp_path / name, "whole")
    assert names(tmp_path) == [name] and (tmp_path / name).read_text() == "whole"


def test_hidden_names_are_those_of_earlier_versions_where_they_fit_and_differ_where_not():
    assert storage.hidden_name("clip.mp4", ".rts") == ".clip.mp4.rts"
    one, two = (storage.hidden_name("a" * 250 + end, ".rts") for end in (".mp4", ".mkv"))
    assert one != two == storage.hidden_name("a" * 250 + ".mkv", ".rts")
    assert len(one) == len(two) == 255 and one.startswith(".aaa") and one.endswith(".rts")


def test_a_body_that_writes_nothing_replaces_nothing(tmp_path):
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(FileNotFoundError), storage.atomic_path(tmp_path / "kept"):
        pass
    assert (tmp_path / "kept").read_text() == "kept"


def test_a_replaced_file_keeps_its_permissions_and_links_are_followed(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    storage.write_text(link, "new\r\nline\n")
    assert real.read_bytes() == b"new\r\nline\n" and link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640


def test_json_round_trip_and_numbers_that_json_lacks(tmp_path):
    storage.write_json(tmp_path / "a.json", {"a": [1.5, float("nan")], "b": {"c": float("inf")}})
    assert storage.read_json(tmp_path / "a.json") == {"a": [1.5, None], "b": {"c": None}}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1', "\xff"])
def test_damaged_json(tmp_path, text):
    path = tmp_path / "a.json"
    assert storage.read_json(path) is None and storage.read_json_or_none(path) is None
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RtsError, match="a.json: is damaged .*delete it"):
        storage.read_json(path)
    assert storage.read_json_or_none(path) is None
    assert storage.read_json_or_none(tmp_path) is None  # a directory


def test_a_sealed_file_shows_every_change(tmp_path):
    path, contents = tmp_path / "a.json", {"b": [1.5, None], "a": {"1": "text"}}
    storage.write_json(path, contents, sealed=True)
    assert storage.read_json(path) == contents
    path.write_text(path.read_text().replace("1.5", "1.7"))
    with pytest.raises(RtsError, match="a.json: is damaged .*not those that were written"):
        storage.read_json(path)


def test_hashes(tmp_path):
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "b").write_bytes(b"two")
    (folder / "a").write_bytes(b"one")
    assert storage.sha256_of_file(folder / "a") == hashlib.sha256(b"one").hexdigest()
    # Exports of earlier versions have recorded this.
    expected = hashlib.sha256(b"aonedeep/btwo").hexdigest()
    assert storage.sha256_of_directory(folder) == expected


@pytest.mark.parametrize("is_directory", [False, True])
def test_publish(tmp_path, monkeypatch, is_directory):
    source, target, synced = tmp_path / "partial", tmp_path / "whole", []
    if is_directory:
        source.mkdir()
        (source / "file").write_text("new")
    else:
        source.write_text("new")
        target.write_text("old")
    monkeypatch.setattr(storage, "sync", lambda path: synced.append(path.name))
    storage.publish(source, target)
    assert (target / "file" if is_directory else target).read_text() == "new"
    assert not source.exists()
    assert synced == [*(["file"] if is_directory else []), "partial", tmp_path.name]


# ---- locks

HOLD = """
import pathlib, sys
from rts_tf.locks import lock
with lock(pathlib.Path(sys.argv[1]), "workdir", "works"):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_lock_keeps_other_processes_out(tmp_path):
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=ROOT, **pipes) as process:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(RtsError, match="^`workdir`=.*: another process works; wait for it"):
            locks.lock(tmp_path, "workdir", "works")
        process.stdin.close()
        assert process.wait() == 0
    locks.lock(tmp_path, "workdir", "works").close()


def test_a_locked_directory_is_removed(tmp_path):
    root = tmp_path / "work"
    (root / "deep").mkdir(parents=True)
    (root / "deep" / "file").touch()
    (root / "link").symlink_to(tmp_path)
    lock = locks.lock(root, "output", "works")
    lock.remove_directory()
    lock.close()
    assert names(tmp_path) == []


# ---- Windows and macOS


class FakeMsvcrt:
    """Locks as those of Windows: of bytes of a file, refused with PermissionError."""

    LK_NBLCK = 2

    def __init__(self):
        self.locked = set()

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        file = os.fstat(descriptor).st_ino
        if file in self.locked:
            raise PermissionError(13, "Permission denied")
        self.locked.add(file)


def test_locks_of_windows(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", FakeMsvcrt())
    held = locks.lock(tmp_path, "workdir", "works")
    with held, pytest.raises(RtsError, match="another process works"):
        locks.lock(tmp_path, "workdir", "works")


def test_a_system_without_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", None)
    locks.lock(tmp_path, "workdir", "works").close()


def test_on_windows_the_lock_is_closed_before_it_is_deleted(tmp_path, monkeypatch):
    """An open file cannot be deleted there."""
    lock = locks.lock(tmp_path, "workdir", "works")
    real = type(tmp_path).unlink

    def unlink(path, missing_ok=False):
        assert lock._file.closed
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(locks, "os", types.SimpleNamespace(**vars(os) | {"name": "nt"}))
    monkeypatch.setattr(type(tmp_path), "unlink", unlink)
    lock.remove()
    assert names(tmp_path) == []


def test_a_directory_that_cannot_be_opened_is_not_synced(tmp_path, monkeypatch):
    """Windows opens no directory."""
    opened, real = [], os.open

    def refuse_directories(path, flags):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied")
        opened.append(path)
        return real(path, flags)

    monkeypatch.setattr(storage.os, "open", refuse_directories)
    storage.sync(tmp_path)
    storage.write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / "a.txt").read_text() == "text" and len(opened) == 1


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "a").touch()

    def refuse(path, flags):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(storage.os, "open", refuse)
    with pytest.raises(PermissionError):
        storage.sync(tmp_path / "a")


def test_windows_syncs_files_that_are_open_for_writing(tmp_path, monkeypatch):
    modes, real = [], os.open

    def note_mode(path, flags):
        modes.append(flags)
        return real(path, flags)

    windows = vars(os) | {"name": "nt", "open": note_mode}
    monkeypatch.setattr(storage, "os", types.SimpleNamespace(**windows))
    (tmp_path / "a").touch()
    storage.sync(tmp_path / "a")
    storage.sync(tmp_path)
    assert modes == [os.O_RDWR, os.O_RDONLY]


@pytest.mark.parametrize(("failures", "succeeds"), [(2, True), (3, True), (4, False)])
def test_a_rename_is_tried_again_on_windows(tmp_path, monkeypatch, failures, succeeds):
    """Another program has the target open for a moment."""
    calls, slept, real = [], [], os.replace

    def replace(source, target):
        calls.append(source)
        if len(calls) <= failures:
            raise PermissionError(13, "Access is denied")
        real(source, target)

    monkeypatch.setattr(storage, "_RETRY_PAUSES", (1, 2, 3))
    monkeypatch.setattr(storage.time, "sleep", slept.append)
    monkeypatch.setattr(storage.os, "replace", replace)
    path = tmp_path / "a.txt"
    if succeeds:
        storage.write_text(path, "text")
        assert path.read_text() == "text" and len(calls) == failures + 1
        assert slept == [1, 2, 3][:failures]
    else:
        with pytest.raises(PermissionError):
            storage.write_text(path, "text")
        assert names(tmp_path) == [] and len(calls) == 4


def test_a_rename_is_tried_once_elsewhere(tmp_path, monkeypatch):
    def refuse(source, target):
        calls.append(source)
        raise PermissionError(13, "Permission denied")

    calls = []
    monkeypatch.setattr(storage.os, "replace", refuse)
    with pytest.raises(PermissionError):
        storage.write_text(tmp_path / "a", "text")
    assert len(calls) == 1
