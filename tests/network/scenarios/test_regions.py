"""Several regions in one network, each with its own plan, side by side."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from lns.lorawan.regions import REGIONS
from lns.mac.settings import RegionSettings
from tests.network.agreement import agree
from tests.network.pair import living, only
from tests.network.world import world

RATES = {"CN470-20A": 3, "CN470-20B": 3, "CN470-26A": 3, "CN470-26B": 3}


async def test_devices_of_several_regions_are_served_at_once(tmp_path):
    async with world(tmp_path) as w:
        names = ("EU868", "US915", "AS923-1", "IN865")
        pairs = [await living(w, number=n, region_name=name, dr=2) for n, name in enumerate(names, 1)]
        came = await asyncio.gather(*[pair.send(confirmed=True) for pair in pairs])
        assert [only(heard)[1].ack for heard in came] == [True] * 4
        assert {(u.dev_eui, u.region) for u in await w.records("uplink")} == {
            (pair.dev_eui, name) for pair, name in zip(pairs, names, strict=True)
        }


@pytest.mark.parametrize("version", ["1.0.2", "1.0.4", "1.1"])
@pytest.mark.parametrize("name", list(REGIONS))
async def test_a_device_joins_is_answered_and_agrees_with_the_network_in_every_region(tmp_path, name, version):
    async with world(tmp_path) as w:
        pair = await living(w, version, region_name=name, dr=RATES.get(name, 3))
        pair.device.adr = True
        await w.network.enqueue(pair.dev_eui, 5, b"hello", True)
        for _ in range(25):
            assert len(await pair.send(confirmed=True)) >= 1
        assert [got.payload for got in pair.received() if got.fport] == [b"hello"]
        assert {heard.window for heard in pair.life.heard} <= {"rx1", "rx2"}
        agree(pair)


async def test_an_uplink_on_a_frequency_of_another_region_is_refused_as_such(tmp_path):
    async with world(tmp_path, regions={"US915": RegionSettings()}) as w:
        device = await w.device(activation="abp", region_name="US915", dr=2)
        w.hear(device.uplink(10, b"x"))  # on 868.1 MHz
        assert await w.refused() == ["frequency_not_in_region"]


async def test_a_device_whose_template_names_the_wrong_region_is_told_so(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp", region_name="EU868")
        await asyncio.to_thread(w.registry.templates.change, "1.0.3 EU868", {"region": "AS923-1"})
        await w.network.reload_devices([pair.dev_eui])
        assert await pair.send() == []
        ((reason, text),) = w.why()
        assert reason == "frequency_not_in_region"
        assert "is no uplink frequency of AS923-1" in text


async def test_a_setting_that_the_region_does_not_have_any_more_is_left_out_and_the_device_is_answered(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        with closing(sqlite3.connect(w.registry.path)) as connection, connection:
            connection.execute("UPDATE device SET network = ?", ['{"rx2_dr": 9}'])  # as after a change of region
        await w.network.reload_devices([pair.dev_eui])
        assert pair.known.settings.rx2_dr is None
        assert only(await pair.send(confirmed=True))[1].ack
