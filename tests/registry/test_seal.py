import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.errors import StoreError
from lns.registry.seal import Seal

KEK = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
OCTETS = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")


@given(kek=st.sampled_from([16, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)), octets=st.binary())
def test_what_is_sealed_opens_again_and_is_not_seen(kek: bytes, octets: bytes) -> None:
    seal = Seal(kek)
    blob = seal.seal(octets)
    assert Seal(kek).open(blob) == octets
    assert (blob[:4], len(blob)) == (seal.key_id, 4 + 12 + len(octets) + 16)
    assert len(octets) < 8 or octets not in blob


def test_blob_of_an_earlier_version_opens() -> None:
    """Key id, nonce, ciphertext and tag; the id checked with `sha256sum`. Stored keys would be lost by any change."""
    parts = ("080c5152", "000102030405060708090a0b", "231fa445acea49d80d57572184f1d6d7030abb6331e4fd183803db4d8ea8b21e")
    assert Seal(KEK).open(bytes.fromhex("".join(parts))) == OCTETS


def test_equal_octets_are_sealed_differently_each_time() -> None:
    seal = Seal(KEK)
    assert len({seal.seal(OCTETS) for _ in range(100)}) == 100


def test_other_key_is_told_with_both_ids_and_where_it_came_from() -> None:
    blob = Seal(KEK).seal(OCTETS)
    other = Seal(bytes(16), "data/key-encryption.key")
    with pytest.raises(StoreError) as caught:
        other.open(blob)
    assert str(caught.value) == (
        f"the keys in the database are sealed with key-encryption key {Seal(KEK).key_id.hex()}, but "
        f"data/key-encryption.key holds {other.key_id.hex()}: put the right one there, or restore the backup that "
        "belongs to it"
    )


@given(bit=st.integers(4 * 8, (4 + 12 + 16 + 16) * 8 - 1))
def test_one_flipped_bit_is_damage(bit: int) -> None:
    seal = Seal(KEK)
    blob = bytearray(seal.seal(OCTETS))
    blob[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StoreError, match=r"^a sealed key of 48 octets does not open with key-encryption key .{8}: the"):
        seal.open(bytes(blob))
