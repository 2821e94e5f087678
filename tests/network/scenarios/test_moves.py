"""A session moves: exported from one server, imported into another, and the device notices nothing."""

import asyncio
import json
from typing import Any

import pytest

from lns.mac.settings import RegionSettings
from tests.network.agreement import agree
from tests.network.pair import Pair, living, only
from tests.network.world import World, world

REGIONS = {"EU868": RegionSettings(extra_channels_hz=(867_100_000, 867_300_000))}


async def taken_over(w: World, pair: Pair, version: str, activation: str, exported: dict[str, Any]) -> None:
    """The device is registered here too, and gets the session it has."""
    await w.register(pair.device, activation, version)
    await asyncio.to_thread(w.registry.session_files.replace, pair.dev_eui, json.loads(json.dumps(exported)))
    await w.network.reload_devices([pair.dev_eui])
    pair.move(w)


def _but_counters_down(exported: dict[str, Any] | None) -> dict[str, Any]:
    """Downlink counters may go on with a gap: frames just decided may carry those between."""
    assert exported is not None
    return {name: value for name, value in exported.items() if name not in ("fcnt_down", "afcnt_down")}


@pytest.mark.parametrize("activation", ["otaa", "abp"])
@pytest.mark.parametrize("version", ["1.0.0", "1.0.3", "1.0.4", "1.1"])
async def test_a_device_moves_to_another_server_without_joining_again(tmp_path, version, activation):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    async with world(tmp_path / "here", regions=REGIONS) as w:
        pair = await living(w, version, activation=activation, network={"rx1_delay_s": 2, "rx2_dr": 3})
        pair.device.adr = True
        await w.network.enqueue(pair.dev_eui, 5, b"before", False)
        for _ in range(25):
            await pair.send(confirmed=True)
        agree(pair)
        exported = await w.network.export_session(pair.dev_eui)
        assert exported is not None
    async with world(tmp_path / "there", regions=REGIONS) as w:
        await taken_over(w, pair, version, activation, exported)
        assert _but_counters_down(await w.network.export_session(pair.dev_eui)) == _but_counters_down(exported)
        agree(pair)
        await w.network.enqueue(pair.dev_eui, 5, b"after", False)
        assert only(await pair.send(b"moved", confirmed=True))[1].payload == b"after"
        assert [u.data for u in await w.records("uplink")] == [b"moved"]
        for _ in range(5):
            await pair.send(confirmed=True)
        agree(pair)


async def test_a_device_that_moved_joins_there_with_nonces_that_go_on(tmp_path):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    async with world(tmp_path / "here") as w:
        pair = await living(w, "1.0.4")
        for _ in range(3):
            await pair.join()
            await pair.send()
        used = pair.device.dev_nonce
        exported = await w.network.export_session(pair.dev_eui)
        assert exported is not None
    async with world(tmp_path / "there") as w:
        await taken_over(w, pair, "1.0.4", "otaa", exported)
        assert await pair.join(used) == []
        assert [reason for reason, _ in w.why()] == ["dev_nonce_not_increasing"]
        assert [heard.joined for heard in await pair.join(used + 1)] == [True]
        assert only(await pair.send(confirmed=True))[1].ack
