"""Channel masks against the LinkADRReq vectors, and the ways from one mask to another."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lns.lorawan import chmask
from lns.lorawan.chmask import LinkADR, Step, Verdict
from lns.lorawan.commands import parse_commands
from lns.lorawan.regions import REGIONS, region
from lns.lorawan.regions.as923 import AS923_1
from lns.lorawan.regions.au915 import AU915
from lns.lorawan.regions.cn470 import CN470
from lns.lorawan.regions.cn470_plans import CN470_20A, CN470_26A
from lns.lorawan.regions.eu868 import EU868
from lns.lorawan.regions.region import Channel, Region
from lns.lorawan.regions.us915 import US915
from tests.lorawan import vectors

ALL_72 = (1 << 72) - 1
FSB2 = 0xFF << 8 | 1 << 65


def _channels(of: Region) -> dict[int, Channel]:
    return {channel.index: channel for channel in of.uplink_channels}


def _groups(mask: int) -> list[int]:
    return [mask >> 16 * n & 0xFFFF for n in range(6)]


def _asked(octets: str) -> LinkADR:
    block, problem = parse_commands(bytes.fromhex(octets), uplink=False)
    assert problem is None
    fields = [command.fields for command in block]
    dr, tx_power = fields[-1]["data_rate"], fields[-1]["tx_power"]
    steps = tuple((one["ch_mask_cntl"], one["ch_mask"]) for one in fields)
    return LinkADR(steps, 0 if dr == 15 else dr, 0 if tx_power == 15 else tx_power)  # 15 keeps what is there


def _applied(of: Region, mask: int, defined: int, steps: tuple[Step, ...]) -> int:
    for cntl, bits in steps:
        changed = chmask.apply(of, mask, defined, cntl, bits)
        assert changed is not None
        mask = changed
    return mask


@pytest.mark.parametrize("vector", vectors.of("link_adr_device"), ids=vectors.name)
def test_device_judges_a_block_of_link_adr_req(vector: dict[str, Any]) -> None:
    of = region(vector["region"])
    before = of.channel_mask()
    verdict = chmask.judge(of, _channels(of), before, _asked(vector["commands"]))
    bits = {name: getattr(verdict, name) for name in ("channel_mask_ack", "data_rate_ack", "power_ack")}
    assert (bits, verdict.accepted) == (vector["status"], vector["applied"])
    assert _groups(verdict.mask if verdict.accepted else before) == vector["resulting_masks"]


def test_data_rate_that_the_dwell_time_forbids_is_refused() -> None:
    asked = LinkADR(((0, 0b11),), 1, 0)
    assert chmask.judge(AS923_1, _channels(AS923_1), 0b11, asked, uplink_dwell=False) == Verdict(3, True, True, True)
    assert chmask.judge(AS923_1, _channels(AS923_1), 0b11, asked, uplink_dwell=True) == Verdict(3, True, False, True)


def test_channel_that_the_network_added_counts_with_its_data_rates() -> None:
    channels = _channels(EU868) | {3: Channel(3, 867_100_000, 7, 7)}
    assert chmask.judge(EU868, channels, 0b111, LinkADR(((0, 0b1111),), 7, 0)) == Verdict(15, True, True, True)
    assert chmask.judge(EU868, channels, 0b111, LinkADR(((0, 0b0111),), 7, 0)) == Verdict(7, True, False, True)
    assert chmask.judge(EU868, channels, 0b111, LinkADR(((6, 0),), 5, 0)) == Verdict(15, True, True, True)


def test_hopping_over_two_125_khz_channels_is_asked_of_the_plans_of_72_channels() -> None:
    one, two, wide = 1 << 3, 0b11 << 3, 1 << 64
    assert [chmask.acceptable(US915, mask, 3) for mask in (one, two, wide, one | wide)] == [False, True, False, False]
    assert [chmask.acceptable(US915, mask, 4) for mask in (one, two, wide, one | wide)] == [False, False, True, True]
    assert [chmask.acceptable(AU915, mask, 5) for mask in (one, two)] == [False, True]
    assert chmask.acceptable(AU915, wide, 6)
    assert chmask.acceptable(CN470, one, 5)


def test_mask_of_a_dynamic_plan_needs_one_channel_and_a_data_rate() -> None:
    assert chmask.acceptable(EU868, 1 << 9, 7)
    assert not chmask.acceptable(EU868, 0, 5)
    assert not chmask.acceptable(EU868, 1, 12)


@pytest.mark.parametrize(
    ("of", "cntl", "bits", "mask"),
    [
        (EU868, 0, 0b101, 0b101),
        (EU868, 0, 0b1000, None),  # not defined
        (EU868, 5, 1, None),
        (EU868, 6, 0, 0b111),
        (EU868, 7, 0, None),
        (US915, 4, 0x0102, ALL_72 & ~(0xFF << 64) | 1 << 65),  # bits 8 to 15 are RFU
        (US915, 5, 0b10, FSB2),
        (US915, 5, 0x0102, FSB2),
        (US915, 6, 0, (1 << 64) - 1),
        (US915, 7, 0x02, 1 << 65),
        (CN470, 5, 0x00FF, (1 << 88) - 1),
        (CN470, 6, 0, (1 << 96) - 1),
        (CN470, 7, 0, None),
        (CN470_20A, 4, 0, None),
        (CN470_20A, 5, 0, None),
        (CN470_20A, 6, 0, (1 << 64) - 1),
        (CN470_20A, 7, 0, 0),
        (CN470_26A, 2, 1, (1 << 32) - 1 | 1 << 32),
        (CN470_26A, 3, 0, (1 << 48) - 1),
        (CN470_26A, 4, 0, 0),
        (CN470_26A, 5, 0, None),
    ],
    ids=lambda value: value.name if isinstance(value, Region) else str(value),
)
def test_channel_mask_control(of: Region, cntl: int, bits: int, mask: int | None) -> None:
    everything = of.channel_mask()
    assert chmask.apply(of, everything, everything, cntl, bits) == mask


@pytest.mark.parametrize(
    ("of", "current", "wanted", "steps"),
    [
        (EU868, 0b111, 0b101, ((0, 0b101),)),
        (EU868, 0b111, 0b111, ((0, 0b111),)),
        (US915, ALL_72, FSB2, ((7, 0x02), (0, 0xFF00))),
        (US915, FSB2, ALL_72, ((6, 0xFF),)),
        (US915, FSB2, FSB2, ((0, 0xFF00),)),
        (US915, FSB2, FSB2 | 0xFF, ((0, 0xFFFF),)),
        (CN470, (1 << 96) - 1, 0xFF, ((0, 0x00FF), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0))),  # there is no all off
        (CN470, 0xFF, (1 << 96) - 1, ((6, 0),)),
        (CN470_20A, (1 << 64) - 1, 0xFF << 56, ((7, 0), (3, 0xFF00))),
        (CN470_26A, (1 << 48) - 1, 0xFF, ((4, 0), (0, 0x00FF))),
    ],
    ids=lambda value: value.name if isinstance(value, Region) else str(value),
)
def test_sequence_is_the_shortest(of: Region, current: int, wanted: int, steps: tuple[Step, ...]) -> None:
    assert chmask.sequence(of, current, wanted, of.channel_mask()) == steps


def test_steps_that_stand_alone_take_a_longer_way_where_the_short_one_passes_a_refused_mask() -> None:
    assert chmask.single_steps(US915, ALL_72, FSB2, 0) == ((4, 0x02), (0, 0xFF00), (1, 0), (2, 0), (3, 0))
    assert chmask.single_steps(US915, FSB2, 0xFF << 48 | 1 << 70, 0) == ((3, 0x00FF), (4, 0x40), (0, 0))
    assert chmask.single_steps(US915, ALL_72, 1 << 65, 4) == ((7, 0x02),)


def test_steps_to_a_mask_that_the_device_would_refuse_anyhow_are_the_shortest() -> None:
    assert chmask.single_steps(US915, ALL_72, 1, 0) == ((7, 0), (0, 1))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (0, "channel mask 0x0 is empty or beyond the defined channels 0x7"),
        (0b1001, "channel mask 0x9 is empty or beyond the defined channels 0x7"),
    ],
)
def test_mask_that_no_device_can_have_is_not_asked(wanted: int, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        chmask.sequence(EU868, 0b111, wanted, 0b111)
    assert str(caught.value) == message


def test_mask_of_channels() -> None:
    assert chmask.mask_of(US915.join_channels(2)) == FSB2


MASKS = st.one_of(
    st.integers(1, (1 << 96) - 1),
    st.lists(st.sampled_from([0, 1, 0xFF, 0xFF00, 0xFFFF]), min_size=6, max_size=6).map(
        lambda groups: sum(bits << 16 * n for n, bits in enumerate(groups))
    ),
)


@given(of=st.sampled_from(list(REGIONS.values())), current=MASKS, wanted=MASKS, extra=st.integers(0, 0xFFFF))
def test_every_mask_is_reached_from_every_other(of: Region, current: int, wanted: int, extra: int) -> None:
    defined = of.channel_mask() | (extra if of.plan == "dynamic" else 0)
    current, wanted = current & defined, wanted & defined
    assume(wanted)
    steps = chmask.sequence(of, current, wanted, defined)
    assert _applied(of, current, defined, steps) == wanted
    differing = sum(before != after for before, after in zip(_groups(current), _groups(wanted), strict=True))
    assert 1 <= len(steps) <= max(1, differing)


@given(
    of=st.sampled_from(list(REGIONS.values())),
    current=MASKS,
    wanted=MASKS,
    extra=st.integers(0, 0xFFFF),
    dr=st.integers(0, 7),
)
def test_each_of_the_single_steps_is_accepted(of: Region, current: int, wanted: int, extra: int, dr: int) -> None:
    defined = of.channel_mask() | (extra if of.plan == "dynamic" else 0)
    mask, wanted = current & defined, wanted & defined
    assume(chmask.acceptable(of, mask, dr) and chmask.acceptable(of, wanted, dr))
    channels = {n: Channel(n, 0, 0, 7) for n in range(16) if defined >> n & 1} if of.plan == "dynamic" else None
    for step in chmask.single_steps(of, mask, wanted, dr):
        verdict = chmask.judge(of, channels or _channels(of), mask, LinkADR((step,), dr, 0))
        assert verdict == Verdict(verdict.mask, True, True, True)
        mask = verdict.mask
    assert mask == wanted
