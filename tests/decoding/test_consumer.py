"""Uplinks to decoded records, with a real worker process, a real registry and a real log."""

import pytest

from lns.config import Measurements as MeasurementsConfig
from lns.exchange.records import Failure, Measurement
from tests.decoding.build import GOOD, one, scene
from tests.exchange.build import until


async def test_each_device_is_decoded_by_its_codec(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1), one(2, 2), one(3))
        first, second, third = sorted(await s.decoded(3), key=lambda d: d.uplink_seq)
        assert first.measurements == (
            Measurement("sum", first.received_at_us, 15.0),
            Measurement("text", first.received_at_us, "x"),
        )
        assert (first.warnings, first.failure, first.data_json) == (("w",), None, b'{"sum":15,"text":"x"}')
        assert [m.field for m in second.measurements] == ["v"]
        assert [d.uplink_seq for d in (first, second, third)] == [1, 2, 3]
        assert first.id == one(1).id


async def test_a_failure_is_a_record_with_its_line_and_is_listed_and_retried(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1, 2, b"\xff"), one(2, 2, b"\x07"))
        failed, fine = await s.decoded(2)
        assert failed.failure is not None
        assert (failed.failure.reason, failed.failure.line) == ("exception", 2)
        assert [m.value for m in fine.measurements] == [7.0]
        await s.exchange.committed()
        (listed,) = s.registry.failures.page()
        assert (listed.uplink_seq, listed.reason, listed.line, listed.state) == (1, "exception", 2, "open")
        assert await s.decoding.retry([1, 999]) == {"retried": 0, "failed": 2}
        s.registry.codecs.add_version("bad", GOOD, "ts013")
        s.registry.codecs.activate("bad", 2)
        await s.decoding.reload_codecs()
        assert await s.decoding.retry([1]) == {"retried": 1, "failed": 0}
        assert (await s.decoded(4))[-1].measurements[0].value == 265.0
        assert [f.state for f in s.registry.failures.page()] in ([], ["retried"])


@pytest.mark.parametrize("frame", [one(1, data=b""), one(1, fport=0), one(1, device_id=77)])
async def test_empty_payloads_mac_frames_and_devices_without_codec_are_not_decoded(tmp_path, frame):
    async with scene(tmp_path) as s:
        await s.put(frame)
        (decoded,) = await s.decoded(1)
        assert (decoded.measurements, decoded.failure, decoded.codec_version_id) == ((), None, None)


async def test_link_metadata_is_recorded_even_when_the_decoder_fails(tmp_path):
    async with scene(tmp_path, MeasurementsConfig()) as s:
        await s.put(one(1, 2, b"\xff"))
        (decoded,) = await s.decoded(1)
        values = {m.field: (m.value, m.unit) for m in decoded.measurements}
        assert values == {
            "link.rssi": (-80.0, "dBm"),
            "link.snr": (7.0, "dB"),
            "link.dr": (5.0, None),
            "link.gateways": (1.0, None),
        }
        assert isinstance(decoded.failure, Failure)


async def test_unchanged_values_are_withheld_by_the_templates_rules_and_counted(tmp_path):
    async with scene(tmp_path, rules={"sum": {"deadband_abs": 2.0}, "text": {}}) as s:
        await s.put(one(1, data=b"\x05"), one(2, data=b"\x06"), one(3, data=b"\x07"))
        found = await s.decoded(3)
        assert [([m.value for m in d.measurements], d.suppressed) for d in found] == [
            ([15.0, "x"], 0),
            ([], 2),
            ([17.0], 1),
        ]


async def test_decoded_records_and_position_move_together(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(*(one(n) for n in range(1, 301)))
        await s.decoded(300)
        await until(lambda: s.exchange.head_seq == 600)
    async with scene(tmp_path) as s:
        await s.put(one(301))
        assert [d.fcnt_up for d in await s.decoded(301)] == list(range(1, 302))


async def test_names_units_and_ranges_are_those_of_vocabulary_and_template(tmp_path):
    source = (
        "function decodeUplink(i) { return {data: {batt_mv: 3600, battery_mv: 3600, co2: 99999, sum: i.bytes[0]}}; }"
    )
    async with scene(tmp_path, rules={"battery_mv": {}}, fields={"sum": {"unit": "l", "max": 5}}) as s:
        await s.use("good", source)
        await s.put(one(1, data=b"\x05"), one(2, data=b"\x06"))
        first, second = await s.decoded(2)
        at_us = first.received_at_us
        assert first.measurements == (
            Measurement("batt_mv", at_us, 3600.0, "mV"),
            Measurement("battery", at_us, 3.6, "V"),
            Measurement("flagged.co2", at_us, 99999.0),
            Measurement("sum", at_us, 5.0, "l"),
        )
        assert first.warnings == ("co2 is 99999 ppm, plausible is 0 to 40000 ppm: kept as flagged.co2",)
        assert [m.field for m in second.measurements] == ["batt_mv", "flagged.co2", "flagged.sum"]
        assert second.suppressed == 1
        assert second.warnings[1] == "sum is 6 l, plausible is 5 l or less: kept as flagged.sum"


async def test_a_retry_leaves_store_on_change_to_the_live_values(tmp_path):
    async with scene(tmp_path, rules={"sum": {"deadband_abs": 2.0}, "text": {}}) as s:
        await s.put(one(1, data=b"\x05"))
        await s.decoded(1)
        await s.use("good", GOOD + "//")
        await s.put(one(2, data=b"\x50"))
        await s.decoded(2)
        await s.decoding.retry([1])
        await s.put(one(3, data=b"\x50"))
        assert [(len(d.measurements), d.suppressed) for d in await s.decoded(4)] == [(2, 0), (1, 1), (2, 0), (0, 2)]


async def test_limits_hold_for_fields_and_device_and_every_reason_is_counted(tmp_path):
    rules = {"sum": {"deadband_abs": 2.0, "min_interval_s": 100}, "text": {"on_change": False, "max_per_hour": 2}}
    async with scene(tmp_path, rules=rules) as s:
        await s.put(one(1, data=b"\x01"), one(2, data=b"\x09"), one(3, data=b"\x09"), one(4, data=b"\x0a"))
        found = await s.decoded(4)
        assert [[m.field for m in d.measurements] for d in found] == [["sum", "text"], ["text"], ["sum"], []]
        assert [d.suppressed for d in found] == [0, 1, 1, 2]
        counts = {"unchanged": 0, "dead_band": 1, "min_interval": 1, "max_per_hour": 2, "device_max_per_hour": 0}
        assert s.decoding.held_back.of(1) == counts


async def test_a_device_has_rules_and_limits_of_its_own(tmp_path):
    async with scene(tmp_path, rules={"sum": {"deadband_abs": 5.0}, "text": {}}) as s:
        s.registry.templates.change("default", {"max_measurements_per_hour": 1})
        own = {"rules": {"sum": {"on_change": False}}, "max_measurements_per_hour": 0}
        s.registry.devices.change(f"{1:016x}", own)
        s.registry.devices.change(f"{2:016x}", {"codec": "good"})
        s.parts.codecs.take(s.registry.load_network())
        await s.put(*(one(n, device) for n in (1, 2) for device in (1, 2)))
        found = await s.decoded(4)
        assert [(d.device_id, [m.field for m in d.measurements]) for d in found] == [
            (1, ["sum", "text"]),
            (2, ["sum"]),
            (1, ["sum"]),  # its rule instead of the template's; the template's for the other field
            (2, []),
        ]
        assert s.decoding.held_back.of(2)["device_max_per_hour"] == 2
        s.registry.devices.change(f"{1:016x}", {"rules": {}, "max_measurements_per_hour": None})
        s.parts.codecs.take(s.registry.load_network())
        await s.put(one(3, data=b"\x66"), one(4, data=b"\x99"))
        found = await s.decoded(6)
        assert [len(d.measurements) for d in found[4:]] == [1, 0]  # a limit counts from when it is set
        assert s.decoding.held_back.of(1)["device_max_per_hour"] == 1


async def test_limits_go_on_after_a_restart_and_end_with_the_device(tmp_path):
    rules = {"sum": {"on_change": False, "max_per_hour": 2}, "text": {"heartbeat_s": 0}}
    async with scene(tmp_path, rules=rules) as s:
        await s.put(one(1), one(2), one(3))
        await s.decoded(3)
        await s.exchange.committed()
    async with scene(tmp_path) as s:
        await s.put(one(4))
        assert [m.field for m in (await s.decoded(4))[-1].measurements] == ["text"]
        assert s.decoding.held_back.of(1)["max_per_hour"] == 1
        s.parts.codecs.forget(1)
        assert s.decoding.held_back.of(1)["max_per_hour"] == 0
        s.parts.codecs.take(s.registry.load_network())
        await s.put(one(5))
        assert [m.field for m in (await s.decoded(5))[-1].measurements] == ["sum", "text"]


async def test_a_retry_is_not_held_back_by_what_live_uplinks_have_used_up(tmp_path):
    async with scene(tmp_path, rules={"sum": {"on_change": False, "max_per_hour": 1}}) as s:
        await s.use("good", "function decodeUplink(i) { if (i.bytes[0] == 1) throw 1; return {data: {sum: 1}}; }")
        await s.put(one(1, data=b"\x01"), one(2), one(3))
        assert [len(d.measurements) for d in await s.decoded(3)] == [0, 1, 0]
        await s.use("good", GOOD + "//")
        assert await s.decoding.retry([1]) == {"retried": 1, "failed": 0}
        await s.put(one(4))
        assert [[m.field for m in d.measurements] for d in (await s.decoded(5))[3:]] == [["sum", "text"], ["text"]]
