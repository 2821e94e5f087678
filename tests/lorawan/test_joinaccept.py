import pytest

from lns.lorawan.errors import FrameError
from lns.lorawan.joinaccept import cflist_channels, cflist_masks, join_accept_fields, parse_join_accept_fields
from lns.lorawan.phy import JoinAccept
from tests.lorawan import vectors

ACCEPTS = vectors.of("join_accept")  # in clear, 1.0.x and 1.1 have one layout


@pytest.mark.parametrize("vector", ACCEPTS, ids=vectors.name)
def test_fields_parse_and_are_built_again(vector: dict) -> None:
    clear = bytes.fromhex(vector["phy_payload_decrypted"])[:-4]
    accept = parse_join_accept_fields(clear)
    settings = vector["dl_settings"]
    assert accept == JoinAccept(
        vector["join_nonce"],
        vector["home_net_id"],
        vector["dev_addr"],
        settings["opt_neg"],
        settings["rx1_dr_offset"],
        settings["rx2_data_rate"],
        vector["rx_delay"],
        bytes.fromhex(vector["cflist"]["raw"]) if vector["cflist"] else None,
    )
    assert join_accept_fields(accept) == clear


@pytest.mark.parametrize("vector", [v for v in ACCEPTS if v["cflist"]], ids=vectors.name)
def test_cflist_is_read_by_its_type(vector: dict) -> None:
    cflist = bytes.fromhex(vector["cflist"]["raw"])
    assert cflist_channels(cflist) == vector["cflist"].get("frequencies_hz")
    assert cflist_masks(cflist) == vector["cflist"].get("ch_masks")


def test_frequencies_at_2_4_ghz_count_in_200_hz() -> None:
    cflist = (2_423_000_000 // 200).to_bytes(3, "little") + bytes(13)
    assert cflist_channels(cflist, step_hz=200) == [2_423_000_000, 0, 0, 0, 0]


def test_cflist_of_an_unknown_type_has_neither_channels_nor_masks() -> None:
    cflist = bytes(15) + b"\x02"
    assert (cflist_channels(cflist), cflist_masks(cflist)) == (None, None)


def test_fields_of_another_length_are_refused() -> None:
    with pytest.raises(FrameError) as caught:
        parse_join_accept_fields(bytes.fromhex("20") + bytes(13))
    assert (caught.value.reason, str(caught.value)) == (
        "malformed",
        "join-accept fields are 14 octets, 13 or 29 are needed",
    )
