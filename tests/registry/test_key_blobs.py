import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.registry.key_blobs import (
    GROUP_KEYS,
    SESSION_KEYS,
    DeviceKeys,
    named,
    pack_device,
    session_minor,
    share_a_key,
    unpack_device,
)

KEY = st.none() | st.binary(min_size=16, max_size=16)
F, S, E, A, N = (bytes([n]) * 16 for n in range(5))


@given(keys=st.builds(DeviceKeys, KEY, KEY, KEY))
def test_root_keys_are_unpacked_as_they_were_packed(keys: DeviceKeys) -> None:
    packed = pack_device(keys)
    assert (packed is None) == (keys == DeviceKeys())
    assert packed is None or unpack_device(packed) == keys


def test_app_key_alone_is_packed_as_the_first_databases_were_migrated() -> None:
    assert pack_device(DeviceKeys(app_key=A)) == b"\x02" + A


def test_keys_are_named_in_their_stored_order() -> None:
    assert named(SESSION_KEYS[0], N + A) == {"nwk_s_key": N.hex(), "app_s_key": A.hex()}
    assert list(named(SESSION_KEYS[1], F + S + E + A).values()) == [key.hex() for key in (F, S, E, A)]
    assert list(named(GROUP_KEYS, N + A)) == ["mc_nwk_s_key", "mc_app_s_key"]
    assert (session_minor(N + A), session_minor(F + S + E + A)) == (0, 1)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (N + A, N + A, True),
        (N + A, N + F, True),
        (N + A, F + A, False),  # downlinks are kept apart by the network key
        (F + S + E + A, N + S + N + A, True),
        (F + S + E + A, N + N + N + A, False),
        (N + A, N + S + E + A, True),
    ],
)
def test_sessions_share_a_network_key_or_not(one: bytes, other: bytes, shared: bool) -> None:
    assert share_a_key(one, other) is share_a_key(other, one) is shared
