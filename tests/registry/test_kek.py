import stat
from pathlib import Path

import pytest

from lns.errors import StoreError
from lns.registry import kek
from lns.registry.seal import Seal

HEX = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
OTHER = "2b7e151628aed2a6abf7158809cf4f3c"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(kek.ENVIRONMENT, raising=False)
    return tmp_path / kek.FILE_NAME


def key_id(digits: str) -> bytes:
    return Seal(bytes.fromhex(digits)).key_id


def told(file: Path, *in_use: bytes) -> str:
    with pytest.raises(StoreError) as caught:
        kek.obtain(file, in_use)
    return str(caught.value)


def test_first_start_leaves_a_key_for_this_user_only(file: Path) -> None:
    made = kek.obtain(file, ())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text()) == 65
    assert kek.obtain(file, [made.key_id]).key_id == made.key_id
    assert [found.name for found in file.parent.iterdir()] == [kek.FILE_NAME]


def test_environment_goes_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(HEX)
    monkeypatch.setenv(kek.ENVIRONMENT, OTHER)
    assert kek.obtain(file, ()).key_id == key_id(OTHER)


def test_no_key_is_made_where_keys_are_sealed_already(file: Path) -> None:
    used = key_id(HEX)
    assert told(file, used) == (
        f"the keys in the database are sealed with key-encryption key {used.hex()}, but {file} does not exist: "
        "put it there, or give it in the environment variable LNS_KEY_ENCRYPTION_KEY"
    )
    assert not file.exists()


def test_wrong_key_is_told_with_its_id_and_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(OTHER)
    text = (
        f"the keys in the database are sealed with key-encryption key {key_id(HEX).hex()}, but %s holds "
        f"{key_id(OTHER).hex()}: put the right one there, or restore the backup that belongs to it"
    )
    assert told(file, key_id(HEX)) == text % file
    monkeypatch.setenv(kek.ENVIRONMENT, OTHER)
    assert told(file, key_id(HEX)) == text % kek.ENVIRONMENT


@pytest.mark.parametrize("text", ["", "2b7e", OTHER[:-1] + "x", HEX + "00", "2b 7e" * 6 + "00"])
def test_text_that_is_no_key_is_refused_without_repeating_it(file: Path, text: str) -> None:
    file.write_text(text)
    size = len(text.strip())
    assert told(file) == f"the key-encryption key in {file} has {size} characters: 32 or 64 hex digits are needed"


def test_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.write_bytes(b"\xff" * 32)
    assert told(file) == f"cannot read the key-encryption key in {file}: it is not text"
    file.unlink()
    file.mkdir()
    assert told(file) == f"cannot read the key-encryption key in {file}: Is a directory"


def test_folder_that_cannot_be_written_is_told(file: Path) -> None:
    nowhere = file.parent / "nowhere" / file.name
    assert told(nowhere) == f"cannot write the key-encryption key to {nowhere}: No such file or directory"


def test_rotation_that_was_cut_off_is_finished_once_the_database_has_the_new_key(file: Path) -> None:
    file.write_text(HEX)
    kek.next_file(file).write_text(OTHER)
    assert kek.obtain(file, [key_id(HEX)]).key_id == key_id(HEX)
    assert kek.obtain(file, [key_id(OTHER)]).key_id == key_id(OTHER)
    assert (file.read_text(), kek.next_file(file).exists()) == (OTHER, False)
