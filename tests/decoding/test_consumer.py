"""Uplinks to decoded records, with a real worker process, a real registry and a real log."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from decoders.pool import Pool
from lns.config import Measurements as MeasurementsConfig
from lns.decoding.codecs import Codecs
from lns.decoding.consumer import Decoding
from lns.decoding.failures import Failures
from lns.exchange.loop import run_consumer
from lns.exchange.records import Failure, Measurement
from lns.live import Live
from lns.registry.device_input import parse_device
from lns.registry.registry import Registry
from tests.exchange.build import running, until, uplink

GOOD = "function decodeUplink(i) { return {data: {sum: i.bytes[0] + i.fPort, text: 'x'}, warnings: ['w']}; }"
BAD = (
    "function decodeUplink(i) {\n  if (i.bytes[0] === 255) throw new Error('no');\n  return {data: {v: i.bytes[0]}};\n}"
)
NO_LINK = MeasurementsConfig(link=False)


class Scene:
    def __init__(self, registry, exchange, decoding):
        self.registry, self.exchange, self.decoding = registry, exchange, decoding

    async def put(self, *uplinks):
        await self.exchange.append([("uplink", u) for u in uplinks])

    async def decoded(self, count):
        found = []
        async with asyncio.timeout(20):
            while len(found) < count:
                found = (await self.exchange.read(0, frozenset({"decoded"}), 10_000))[0]
                await asyncio.sleep(0.005)
        return [stored.record for stored in found]


@asynccontextmanager
async def scene(folder, config=NO_LINK, rules=None):
    registry = Registry(folder / "inflight.db")
    fresh = not registry.path.exists()
    registry.open()
    if fresh:
        for name, source in (("good", GOOD), ("bad", BAD)):
            registry.codecs.add(name, source, "ts013")
            registry.codecs.activate(name, 1)
        registry.templates.change("default", {"codec": "good", "rules": rules or {}})
        for n, more in ((1, {}), (2, {"codec": "bad"})):
            who = {"dev_eui": f"{n:016x}", "activation": "otaa", "app_key": "00" * 16, "join_eui": "00" * 8, **more}
            registry.devices.add(parse_device(who))
    pool, codecs, failures = Pool(), Codecs(registry, config), Failures()
    await pool.start()
    await codecs.load()
    codecs.take(registry.load_network())
    async with running(registry.path) as exchange, asyncio.TaskGroup() as tasks:
        exchange.enlist(failures)
        decoding = Decoding(exchange, pool, codecs, failures, config, Live())
        task = tasks.create_task(run_consumer(exchange, decoding), name="decoder")
        try:
            yield Scene(registry, exchange, decoding)
        finally:
            task.cancel()
    await pool.close()
    registry.close()


def one(n, device_id=1, data=b"\x05", fport=10):
    return msgspec.structs.replace(uplink(n, device_id), data=data, fport=fport)


async def test_each_device_is_decoded_by_its_codec_in_log_order(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1), one(2, 2), one(3))
        first, second, third = await s.decoded(3)
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
