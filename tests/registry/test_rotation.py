import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lns.errors import StoreError
from lns.registry import kek
from lns.registry.database import sealed_with
from lns.registry.registry import FILE_NAME, Registry
from lns.registry.rotation import Rotated, rotate
from lns.registry.seal import Seal
from tests.registry.samples import APP_KEY, abp, otaa

OLD, NEW = "2b7e151628aed2a6abf7158809cf4f3c", "3c4fcf098815f7aba6d2ae2816157e2b"
DEVICES = 40


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with 40 devices, a session for each second one, and a group."""
    for name in (kek.ENVIRONMENT, kek.NEXT_ENVIRONMENT):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / FILE_NAME
    fill(path, DEVICES)
    return path


def fill(path: Path, devices: int) -> None:
    registry = Registry(path)
    registry.open()
    registry.devices.add_many([otaa(i) if i % 2 else abp(i) for i in range(devices)])
    registry.multicast.add({"name": "lamps"})
    registry.close()


def key_ids(path: Path) -> set[bytes]:
    """Ids of the keys in use, after every key was opened."""
    registry = Registry(path)
    registry.open()
    snapshot = registry.load_network()
    assert {row.app_key for row in snapshot.devices if row.activation == "otaa"} == {bytes.fromhex(APP_KEY)}
    assert len({row.keys for row in snapshot.sessions}) == 1
    assert len(registry.load_multicast().groups[0].keys) == 48
    with registry._database.read() as connection:
        found = sealed_with(connection)
    registry.close()
    return found


def test_every_key_is_sealed_anew_and_the_file_is_the_new_one(path: Path) -> None:
    (old,) = key_ids(path)
    file = path.with_name(kek.FILE_NAME)
    old_text = file.read_text()
    done = rotate(path)
    (new,) = key_ids(path)
    assert done == Rotated(old.hex(), new.hex(), DEVICES + 1, str(file))
    assert (new != old, file.read_text() != old_text, kek.next_file(file).exists()) == (True, True, False)


def test_new_key_of_the_environment_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kek.NEXT_ENVIRONMENT, NEW)
    assert rotate(path).origin == kek.NEXT_ENVIRONMENT
    monkeypatch.setenv(kek.ENVIRONMENT, NEW)
    new_id = Seal(bytes.fromhex(NEW)).key_id
    assert key_ids(path) == {new_id}
    assert rotate(path) == Rotated(new_id.hex(), new_id.hex(), 0, kek.NEXT_ENVIRONMENT)


def test_key_of_the_environment_is_not_followed_by_one_that_nobody_knows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kek.ENVIRONMENT, OLD)
    with pytest.raises(StoreError) as caught:
        rotate(path)
    assert str(caught.value) == (
        "the key-encryption key comes from LNS_KEY_ENCRYPTION_KEY: put a new one of 64 hex digits into "
        "LNS_NEW_KEY_ENCRYPTION_KEY, rotate, and then into LNS_KEY_ENCRYPTION_KEY"
    )


def test_folder_without_a_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with pytest.raises(StoreError, match=r"^there is no database .*: start the server once, or name its data folder$"):
        rotate(path)
    assert list(tmp_path.iterdir()) == []


def test_failed_rotation_leaves_the_old_key_in_use(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_ids(path)

    def full(seal: Seal, octets: bytes) -> bytes:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Seal, "seal", full)
    with pytest.raises(StoreError, match="the disk is full"):
        rotate(path)
    monkeypatch.undo()
    assert key_ids(path) == before


DIES = """
import os, signal, sys
from pathlib import Path
from lns.registry import kek, rotation
from lns.registry.database import Database
from lns.registry.seal import Seal

def die_at(owner, name, call):
    done, left = getattr(owner, name), [call]
    def dying(*arguments):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return done(*arguments)
    setattr(owner, name, dying)

die_at(*%s)
rotation.rotate(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("moment", "sealed_anew"),
    [
        ("(kek, 'move', 1)", False),  # the next key is half written
        ("(Seal, 'seal', 1)", False),  # it is written, nothing is sealed with it
        (f"(Seal, 'seal', {DEVICES})", False),  # in the middle of the transaction
        ("(Database, 'checkpoint', 1)", True),  # the transaction is done, the key file still the old one
        ("(kek, 'move', 2)", True),
    ],
)
def test_kill_at_any_moment_loses_no_key(path: Path, moment: str, sealed_anew: bool) -> None:
    before = key_ids(path)
    died = subprocess.run([sys.executable, "-c", DIES % moment, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    after = key_ids(path)
    assert (after != before) is sealed_anew
    assert {bytes.fromhex(rotate(path).old_id)} == after
