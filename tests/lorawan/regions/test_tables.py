"""Each table against the facts collected from the specification, LoRaMac-node and three servers."""

from typing import Any

import pytest

from lns.lorawan.modulation import Fsk, Lora, LrFhss, Modulation
from lns.lorawan.regions import REGIONS
from lns.lorawan.regions.region import Channel, DataRate, Region
from tests.lorawan import vectors

BOTH = pytest.mark.parametrize(("region", "facts"), [(r, vectors.region(name)) for name, r in REGIONS.items()])


def _modulation(row: dict[str, Any]) -> Modulation:
    if row["modulation"] == "LORA":
        return Lora(row["sf"], row["bw_hz"], row["coding_rate"])
    if row["modulation"] == "FSK":
        return Fsk(row["bitrate_bps"])
    return LrFhss(row["ocw_hz"], row["coding_rate"])


def _rates(facts: dict[str, Any], direction: str) -> tuple[DataRate, ...]:
    payload = facts["max_payload"]["no_repeater"]["no_dwell"]
    rows = facts["data_rates"][direction].items()
    return tuple(DataRate(int(dr), _modulation(row), payload[dr]["M"]) for dr, row in rows)


@BOTH
def test_channels(region: Region, facts: dict[str, Any]) -> None:
    assert (region.name, region.plan) == (facts["name"], facts["plan"])
    assert region.uplink_channels == tuple(
        Channel(row["index"], row["freq_hz"], row["min_dr"], row["max_dr"]) for row in facts["uplink_channels"]
    )
    assert region.downlink_channels_hz == tuple(row["freq_hz"] for row in facts.get("downlink_channels", ()))


@BOTH
def test_data_rates(region: Region, facts: dict[str, Any]) -> None:
    assert region.uplink_rates == _rates(facts, "uplink")
    assert region.downlink_rates == _rates(facts, "downlink")
    assert region.max_adr_dr == facts["max_adr_dr"]


@BOTH
def test_receive_windows(region: Region, facts: dict[str, Any]) -> None:
    assert region.rx1_dr == {int(dr): tuple(row) for dr, row in facts["rx1_dr_offset"]["table"].items()}
    assert {"freq_hz": region.rx2_freq_hz, "dr": region.rx2_dr} == facts["rx2"]
    assert region.join_accept_delay1_s == facts["timing"]["join_accept_delay1_s"]


@BOTH
def test_bands_and_power(region: Region, facts: dict[str, Any]) -> None:
    assert region.max_eirp_dbm == facts["max_eirp_dbm"]
    assert [(band.min_hz, band.max_hz, band.duty_cycle) for band in region.bands] == [
        (row["min_hz"], row["max_hz"], row["duty_cycle"]) for row in facts["duty_cycle"]
    ]
    for band, row in zip(region.bands, facts["duty_cycle"], strict=True):
        assert band.gateway_eirp_dbm <= row.get("max_eirp_dbm", facts["max_eirp_dbm"])
        assert band.gateway_eirp_dbm.is_integer()


@BOTH
def test_every_data_rate_and_offset_of_rx1_exists(region: Region, facts: dict[str, Any]) -> None:
    first, last = facts["rx1_dr_offset"]["offsets"]
    freq_hz = region.uplink_channels[0].freq_hz
    for rate in region.uplink_rates:
        for offset in range(first, last + 1):
            _, dr = region.rx1(freq_hz, rate.dr, offset)
            assert region.downlink_modulation(dr) is not None
