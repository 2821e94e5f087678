"""Each table against the facts; where the two differ on purpose, the reason stands here."""

from typing import Any

import pytest

from lns.lorawan.modulation import Fsk, Lora, LrFhss, Modulation
from lns.lorawan.regions import REGIONS
from lns.lorawan.regions.region import Channel, DataRate, Region
from tests.lorawan.regions.facts import FACTS

ALL = pytest.mark.parametrize(("region", "facts"), [(r, FACTS[name]) for name, r in REGIONS.items()], ids=REGIONS)

# KR920: the file's rule for devices is 14 dBm, the one for gateways 23 dBm.
GATEWAY_LIMIT_DBM = {"KR920": 23.0}


def _modulation(row: dict[str, Any]) -> Modulation:
    if row["modulation"] == "LORA":
        return Lora(row["sf"], row["bw_hz"], row["coding_rate"])
    if row["modulation"] == "FSK":
        return Fsk(row["bitrate_bps"])
    return LrFhss(row["ocw_hz"], row["coding_rate"])


def _rates(facts: dict[str, Any], direction: str) -> tuple[DataRate, ...]:
    payload = facts["max_payload"]["no_repeater"]
    usual, dwell = payload["no_dwell"], payload.get("dwell_400ms", payload["no_dwell"])
    rows = facts["data_rates"][direction].items()
    return tuple(
        DataRate(int(dr), _modulation(row), usual[dr]["M"], dwell[dr]["M"])
        for dr, row in rows
        if usual[dr]["M"] is not None  # DR0 of CN470 since RP002-1.0.1
    )


def _table(rows: dict[str, list[int]]) -> dict[int, tuple[int, ...]]:
    return {int(dr): tuple(row) for dr, row in rows.items()}


@ALL
def test_channels(region: Region, facts: dict[str, Any]) -> None:
    assert region.plan == facts["plan"]
    assert (region.max_channels, region.freq_step_hz) == (facts["max_channels"], facts["frequency_step_hz"])
    assert region.uplink_channels == tuple(
        Channel(row["index"], row["freq_hz"], row["min_dr"], row["max_dr"]) for row in facts["uplink_channels"]
    )
    assert region.downlink_channels_hz == tuple(row["freq_hz"] for row in facts.get("downlink_channels", ()))
    assert region.has_new_channel == (facts["cflist"]["types"] == [0])


@ALL
def test_data_rates(region: Region, facts: dict[str, Any]) -> None:
    assert region.uplink_rates == _rates(facts, "uplink")
    assert region.downlink_rates == _rates(facts, "downlink")
    assert region.max_adr_dr == facts["max_adr_dr"]


@ALL
def test_max_macpayload_with_and_without_dwell_time(region: Region, facts: dict[str, Any]) -> None:
    payload = facts["max_payload"]["no_repeater"]
    for downlink, direction in ((False, "uplink"), (True, "downlink")):
        for dwell, limits in ((False, "no_dwell"), (True, "dwell_400ms")):
            table = payload.get(limits, payload["no_dwell"])
            found = {dr: region.max_macpayload(dr, downlink, dwell) for dr in range(16)}
            wanted = {dr: table[str(dr)]["M"] for dr in range(16) if str(dr) in facts["data_rates"][direction]}
            assert found == dict.fromkeys(range(16)) | wanted


@ALL
def test_joins(region: Region, facts: dict[str, Any]) -> None:
    join = facts["join"]
    rates = join.get("data_rates") or join["data_rates_125khz"] + join["data_rates_500khz"]
    assert region.join_drs == tuple(rates)
    assert [(row.freq_hz, row.rx1_freq_hz) for row in region.common_join_channels] == [
        (row["uplink_hz"], row["rx1_hz"]) for row in join.get("common_join_channels", ())
    ]
    assert region.join_accept_delay1_s == facts["timing"]["join_accept_delay1_s"]


def test_older_devices_may_join_beside_the_default_channels() -> None:
    assert {name: region.join_only_freqs_hz for name, region in REGIONS.items() if region.join_only_freqs_hz} == {
        "EU868": (864_100_000, 864_300_000, 864_500_000),  # a sentence in the facts
        "CN779": tuple(FACTS["CN779"]["join"]["extra_join_freqs_hz"]),
    }


@ALL
def test_receive_windows(region: Region, facts: dict[str, Any]) -> None:
    rows = facts["rx1_dr_offset"]
    assert region.rx1_dr == _table(rows["table"])
    assert region.rx1_dr_dwell == (_table(rows["table_dwell_400ms"]) if "table_dwell_400ms" in rows else None)
    assert (region.rx2_freq_hz, region.rx2_dr) == (facts["rx2"]["freq_hz"], facts["rx2"]["dr"])


@ALL
def test_every_data_rate_and_offset_of_rx1_exists(region: Region, facts: dict[str, Any]) -> None:
    first, last = facts["rx1_dr_offset"]["offsets"]
    freq_hz = region.uplink_channels[0].freq_hz
    for rate in region.uplink_rates:
        for offset in range(first, last + 1):
            for dwell in (False, True):
                _, dr = region.rx1(freq_hz, rate.dr, offset, dwell)
                # AU915 has no dwell time limit down; AS923's table stays where its limit leaves something
                assert region.max_macpayload(dr, downlink=True, dwell=dwell) is not None


@ALL
def test_duty_cycle_and_power(region: Region, facts: dict[str, Any]) -> None:
    assert region.max_eirp_dbm == facts["max_eirp_dbm"]
    assert [(band.min_hz, band.max_hz, band.duty_cycle) for band in region.bands] == [
        (row["min_hz"], row["max_hz"], row["duty_cycle"]) for row in facts["duty_cycle"]
    ]
    limit_dbm = GATEWAY_LIMIT_DBM.get(region.name, facts["max_eirp_dbm"])
    for band, row in zip(region.bands, facts["duty_cycle"], strict=True):
        assert band.gateway_eirp_dbm <= row.get("max_eirp_dbm", limit_dbm)
        assert band.gateway_eirp_dbm.is_integer()


@ALL
def test_tx_power(region: Region, facts: dict[str, Any]) -> None:
    assert list(enumerate(region.tx_power_offsets_db)) == [
        (row["index"], row["offset_db"]) for row in facts["tx_power"]
    ]
    assert region.max_tx_power == facts["tx_power"][-1]["index"]


@ALL
def test_dwell_time_at_start(region: Region, facts: dict[str, Any]) -> None:
    dwell = facts["dwell_time"]
    assert region.has_tx_param_setup == facts["tx_param_setup"]
    assert region.uplink_dwell_400ms == dwell.get("uplink_400ms_default", False)
    assert region.downlink_dwell_400ms == dwell.get("downlink_400ms_default", False)


@ALL
def test_class_b(region: Region, facts: dict[str, Any]) -> None:
    class_b, rows = region.class_b, facts["class_b"]
    assert (class_b.beacon_dr, class_b.ping_slot_dr) == (rows["beacon_dr"], rows["ping_slot_dr"])
    # ISM2400 has no layout in the facts: its beacon is at SF9, which elsewhere is 17 octets
    size = rows.get("beacon", {"size": 17, "rfu1": 1, "rfu2": 0})
    assert (class_b.beacon_size, class_b.beacon_rfu1, class_b.beacon_rfu2) == (size["size"], size["rfu1"], size["rfu2"])
    if "plan_class_b" not in facts:
        assert class_b.beacon_freqs_hz == tuple(rows["beacon_freq_hz"])
        assert class_b.ping_slot_freqs_hz == tuple(rows["ping_slot_freq_hz"])
        assert class_b.hopping == rows["hopping"]


@ALL
def test_default_windows_and_beacons_are_in_a_band(region: Region, facts: dict[str, Any]) -> None:
    class_b = region.class_b
    for freq_hz in (region.rx2_freq_hz, *class_b.beacon_freqs_hz, *class_b.ping_slot_freqs_hz):
        assert region.downlink_eirp_dbm(freq_hz) <= 27.0
    assert region.downlink_modulation(region.rx2_dr)
    assert isinstance(region.downlink_modulation(class_b.beacon_dr), Lora)
    assert isinstance(region.downlink_modulation(class_b.ping_slot_dr), Lora)
