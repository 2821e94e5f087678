import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.class_b import (
    BEACON_GUARD_MS,
    BEACON_PERIOD_MS,
    BEACON_PERIOD_S,
    BEACON_RESERVED_MS,
    PING_SLOT_MS,
    PING_SLOTS,
    Beacon,
    beacon_time_gps_s,
    build_beacon,
    next_ping_slot_gps_ms,
    parse_beacon,
    ping_nb,
    ping_offset,
    ping_period,
    ping_slots_gps_ms,
)
from lns.lorawan.errors import FrameError
from lns.lorawan.regions import region
from tests.lorawan import vectors

BEACONS = vectors.of("beacon")
ADDRESS = "26011f22"
LAYOUTS = st.sampled_from([(1, 0), (2, 1), (0, 3), (4, 3)])
SPECIFIC = st.binary(min_size=7, max_size=7)


def _beacon(vector: dict) -> Beacon:
    return Beacon(vector["time_gps"], vector.get("param", 0), bytes.fromhex(vector["gw_specific"]))


@pytest.mark.parametrize("vector", BEACONS, ids=vectors.name)
def test_beacon_parses_and_is_built_again(vector: dict) -> None:
    payload = bytes.fromhex(vector["payload"])
    layout = vector["layout"]
    # the two octets of RFU of LoRaWAN 1.1 are one of RFU and Param since TS001-1.0.4
    rfu1 = layout["rfu1"] - ("param" not in vector)
    assert parse_beacon(payload) == _beacon(vector)
    assert build_beacon(_beacon(vector), rfu1, layout["rfu2"]) == payload


@pytest.mark.parametrize("vector", [v for v in BEACONS if "gw_lat_raw" in v], ids=vectors.name)
def test_beacon_tells_the_position_of_its_antenna(vector: dict) -> None:
    position = _beacon(vector).position_deg
    assert position is not None
    latitude, longitude = round(position[0] / 90 * 2**23), round(position[1] / 180 * 2**23)
    assert (latitude % 2**24, longitude % 2**24) == (vector["gw_lat_raw"], vector["gw_lon_raw"])


def test_north_and_east_are_positive() -> None:
    assert Beacon(0, 0, bytes.fromhex("00ffff3f0000c0")).position_deg == (pytest.approx(45, abs=1e-4), -90.0)


@pytest.mark.parametrize("gw_specific", [None, bytes.fromhex("03000000000000")])
def test_beacon_without_coordinates_has_no_position(gw_specific: bytes | None) -> None:
    assert Beacon(0, 0, gw_specific).position_deg is None


@pytest.mark.parametrize("vector", BEACONS, ids=vectors.name)
def test_collision_in_the_part_of_the_gateway_leaves_the_time(vector: dict) -> None:
    payload = bytearray.fromhex(vector["payload"])
    payload[-3] ^= 1
    beacon = parse_beacon(bytes(payload))
    assert (beacon.time_gps_s, beacon.gw_specific) == (vector["time_gps"], None)


@pytest.mark.parametrize("vector", BEACONS, ids=vectors.name)
def test_beacon_with_a_wrong_time_is_refused(vector: dict) -> None:
    payload = bytearray.fromhex(vector["payload"])
    payload[vector["layout"]["rfu1"] + 1] ^= 1
    with pytest.raises(FrameError) as caught:
        parse_beacon(bytes(payload))
    assert (caught.value.reason, str(caught.value)) == ("mic", "the checksum of the beacon is wrong")


def test_octets_that_are_no_beacon_are_refused() -> None:
    with pytest.raises(FrameError) as caught:
        parse_beacon(bytes(18))
    assert (caught.value.reason, str(caught.value)) == ("malformed", "beacon is 18 octets, 17, 19 or 23 are needed")


@given(st.integers(1, 2**32 - 1), st.integers(0, 255), SPECIFIC, LAYOUTS)
def test_any_beacon_reads_as_it_was_sent(time: int, param: int, specific: bytes, layout: tuple[int, int]) -> None:
    beacon = Beacon(time, param, specific)
    assert parse_beacon(build_beacon(beacon, *layout)) == beacon


def test_beacon_of_a_gateway_without_position_is_on_the_equator() -> None:
    beacon = parse_beacon(build_beacon(Beacon(128, 0, None), 1, 0))
    assert (beacon.gw_specific, beacon.position_deg) == (bytes(7), (0.0, 0.0))


def test_beacon_window_ends_where_the_guard_begins() -> None:
    assert BEACON_RESERVED_MS + PING_SLOTS * PING_SLOT_MS + BEACON_GUARD_MS == BEACON_PERIOD_MS


@pytest.mark.parametrize("vector", vectors.of("ping_slot"), ids=vectors.name)
def test_ping_slots_of_a_beacon_period(vector: dict) -> None:
    time, address, periodicity = vector["beacon_time_gps"], vector["dev_addr"], vector["periodicity"]
    assert ping_nb(periodicity) == vector["ping_nb"]
    assert ping_period(periodicity) == vector["ping_period_slots"]
    assert ping_offset(time, address, periodicity) == vector["ping_offset"]
    slots = [start - 1000 * time for start in ping_slots_gps_ms(time, address, periodicity)]
    assert (len(slots), slots[:4]) == (vector["ping_nb"], vector["first_4_slots_ms"])


@pytest.mark.parametrize(
    ("gps_ms", "beacon"), [(0, 0), (127_999.9, 0), (128_000, 128), (1_270_000_001_500, 1_270_000_000)]
)
def test_beacon_time_is_a_multiple_of_128_s(gps_ms: float, beacon: int) -> None:
    assert beacon_time_gps_s(gps_ms) == beacon


@given(st.integers(0, 2**41), st.integers(0, 2**32 - 1), st.integers(0, 7))
def test_next_ping_slot_is_the_first_of_this_period_or_the_following(
    after: int, dev_addr: int, periodicity: int
) -> None:
    address, beacon = f"{dev_addr:08x}", beacon_time_gps_s(after)
    slots = [
        *ping_slots_gps_ms(beacon, address, periodicity),
        *ping_slots_gps_ms(beacon + BEACON_PERIOD_S, address, periodicity),
    ]
    assert next_ping_slot_gps_ms(after, address, periodicity) == next(slot for slot in slots if slot >= after)


@pytest.mark.parametrize("periodicity", range(8))
def test_ping_slot_that_starts_now_is_the_next(periodicity: int) -> None:
    slots = ping_slots_gps_ms(1280, ADDRESS, periodicity)
    assert [next_ping_slot_gps_ms(slot, ADDRESS, periodicity) for slot in slots] == slots
    following = ping_slots_gps_ms(1408, ADDRESS, periodicity)[0]
    assert [next_ping_slot_gps_ms(slot + 0.5, ADDRESS, periodicity) for slot in slots] == [*slots[1:], following]


@pytest.mark.parametrize("vector", vectors.of("ping_slot_channel"), ids=vectors.name)
def test_ping_slots_and_beacons_hop_where_a_region_has_several_channels(vector: dict) -> None:
    plan = region(vector["region"].removesuffix("(96ch)"))
    time = vector["beacon_time_gps"]
    assert plan.beacon_freq_hz(time) == vector["beacon_freq_hz"]
    assert plan.ping_slot_freq_hz(vector["dev_addr"], time) == vector["freq_hz"]
    assert plan.class_b.ping_slot_freqs_hz.index(vector["freq_hz"]) == vector["channel"]
    assert plan.class_b.beacon_freqs_hz.index(vector["beacon_freq_hz"]) == vector["beacon_channel"]
