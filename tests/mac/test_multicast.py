import pytest

from lns.lorawan.regions import region
from lns.mac.multicast import Group, MulticastDownlink
from lns.mac.ping import PingSlots

# tests/vectors/lorawan.json, pub-multicast_frame-003
NWK, APP = bytes.fromhex("0d9ccd10d8d2cd28dee51af0ffd12b87"), bytes.fromhex("77a154b6a98176b3fbca544b3227a197")
MC_ADDR, FCNT = "52517e23", 200_292
NOW_US = 1_000_000


def group():
    made = Group(4, region("EU868"), MC_ADDR, (NWK, APP), (869_525_000, 0))
    made.fcnt = FCNT
    return made


def item(name="a", payload=b"\x01", **more):
    return MulticastDownlink(name, 4, 98, payload, 0, **more)


def test_a_frame_of_the_group_is_the_vectors():
    frame = group().build(item(payload=bytes.fromhex("f8687521")), FCNT)
    assert frame.hex() == "60237e515200640e624204be5d1cd4b7e6"


def test_a_frame_without_payload_still_has_its_port():
    frame = group().build(item(payload=b""), FCNT)
    assert (len(frame), frame[8]) == (13, 98)


@pytest.mark.parametrize(
    ("fport", "octets", "refusal"),
    [
        (1, 51, None),
        (223, 0, None),
        (1, 52, "payload is 52 octets, at most 51 fit at dr 0 of the group"),
        (0, 1, "fport is 0, applications use 1 to 223"),
        (224, 1, "fport is 224, applications use 1 to 223"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_limit(fport, octets, refusal):
    assert group().refusal(fport, bytes(octets), NOW_US) == refusal


def test_a_group_ends_with_its_time_or_its_counters_and_what_waits_fails():
    made = group()
    made.expires_at_us = NOW_US
    assert made.refusal(1, b"", NOW_US - 1) is None
    assert made.refusal(1, b"", NOW_US) == "the group has expired"
    made.waiting.append(item())
    assert made.choose(NOW_US) == (None, [item().to("failed", "the group has expired")])
    assert not made.waiting
    made.expires_at_us, made.fcnt = None, 2**32
    text = "all 4294967296 frame counters of the group are used, it needs new keys"
    assert made.refusal(1, b"", NOW_US) == text


def test_downlinks_go_in_order_timed_ones_let_others_pass_and_expired_ones_are_told():
    made = group()
    later, expired, other = item("a", at_us=NOW_US + 1), item("b", expires_at_us=NOW_US), item("c")
    made.waiting.extend((later, expired, other))
    assert made.choose(NOW_US) == (other, [expired.to("expired", "expired before it could be sent")])
    assert made.choose(NOW_US) == (None, [])
    assert made.choose(NOW_US + 1) == (later, [])


def test_a_sent_downlink_keeps_its_counter():
    assert item().to("sent", fcnt=7).to("failed", "no gateway") == item(state="failed", reason="no gateway", fcnt=7)


def test_a_class_b_group_listens_in_the_slots_of_its_own_address():
    made = group()
    made.device_class, made.periodicity = "B", 3
    assert made.ping_slots == PingSlots(MC_ADDR, 3, 0, 869_525_000)


def test_a_group_outside_the_bands_or_data_rates_of_its_region_cannot_be():
    with pytest.raises(ValueError):
        Group(1, region("EU868"), MC_ADDR, (NWK, APP), (915_000_000, 0))
    with pytest.raises(KeyError):
        Group(1, region("EU868"), MC_ADDR, (NWK, APP), (869_525_000, 14))
