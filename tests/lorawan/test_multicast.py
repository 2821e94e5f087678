import pytest

from lns.lorawan.multicast import (
    decrypt_mc_key,
    encrypt_mc_key,
    mc_ke_key,
    mc_keys,
    mc_root_key_1_0,
    mc_root_key_1_1,
)
from tests.lorawan import vectors


@pytest.mark.parametrize("vector", vectors.of("multicast_keys"), ids=vectors.name)
def test_keys_of_a_group_follow_from_the_root_key_of_a_device(vector: dict) -> None:
    if vector["lorawan"] == "1.1":
        root = mc_root_key_1_1(bytes.fromhex(vector["AppKey"]))
    else:
        root = mc_root_key_1_0(bytes.fromhex(vector["GenAppKey"]))
    assert root.hex() == vector["McRootKey"]
    assert mc_ke_key(root).hex() == vector["McKEKey"]
    encrypted = encrypt_mc_key(mc_ke_key(root), bytes.fromhex(vector["McKey"]))
    assert encrypted.hex() == vector["McKey_encrypted"]
    mc_key = decrypt_mc_key(mc_ke_key(root), encrypted)
    assert mc_key.hex() == vector["McKey"]
    nwk_s_key, app_s_key = mc_keys(mc_key, vector["McAddr"])
    assert (nwk_s_key.hex(), app_s_key.hex()) == (vector["McNwkSKey"], vector["McAppSKey"])
