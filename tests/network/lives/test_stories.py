"""Stories that nobody wrote: any order of what devices, users, air and servers do, and what must be true at the end."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lns.lorawan.phy import DataFrame, parse
from simulators.firmware import Firmware
from simulators.versions import VERSIONS
from tests.network.agreement import agree
from tests.network.lives.test_lives import nothing_is_lost_or_doubled
from tests.network.pair import Pair, towers
from tests.network.virtual_time import VirtualTimeLoop
from tests.network.world import World, world

Step = tuple[Any, ...]  # a method of Story and what it is given

SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"rx1_dr_offset": 1},
    {"adr": {"max_nb_trans": 1, "max_dr": 3}},
    {"adr": {"algorithm": "off"}},
    {"max_duty_cycle": 1, "device_class": "C"},
    {"device_class": "C", "class_c_timeout_s": 3},
    {"dev_status_uplinks": 2},
)


class Story:
    """A device in a world that is started again now and then; two gateways, and air that loses what it likes."""

    def __init__(self, folder: Path, worlds: AsyncExitStack) -> None:
        self.folder, self._worlds = folder, worlds
        self.pair: Pair
        self.sent = 0
        self.frames: list[bytes] = []

    async def begin(self, version: str, region_name: str, loss: float, seed: int) -> None:
        first = await self._open()
        random = Random(seed)
        lost = lambda: random.random() < loss  # noqa: E731
        firmware = Firmware(version=VERSIONS[version])
        device = await first.device(firmware=firmware, region_name=region_name, dr=3)
        self.pair = Pair(first, device, towers(first, 1, 2), lost)
        self.pair.device.adr = True

    async def _open(self) -> World:
        return await self._worlds.enter_async_context(world(self.folder))

    async def restart(self) -> None:
        """The server stops and starts on the same files."""
        self.frames += [sent.phy_payload for sent in self.pair.world.air.sent]
        await self._worlds.aclose()
        self.pair.move(await self._open())

    async def uplink(self, confirmed: bool) -> None:
        """The device joins, or sends."""
        if self.pair.device.must_join:
            await self.pair.join()
            return
        self.sent += 1
        await self.pair.send(self.sent.to_bytes(2), confirmed=confirmed)
        if self.pair.known.session is not None and self.pair.known.pending is None:
            agree(self.pair)

    async def queue(self, confirmed: bool) -> None:
        """A user has something to say."""
        await self.pair.world.network.enqueue(self.pair.dev_eui, 5, b"down", confirmed)

    async def rejoin(self, rejoin_type: int) -> None:
        """The device rejoins as it likes, or begins anew where its version has no rejoin-request."""
        if self.pair.device.must_join or self.pair.device.mac.version.minor == 0:
            self.pair.device.session = None
            await self.pair.join()
        else:
            await self.pair.rejoin(rejoin_type)

    async def wait(self, seconds: float) -> None:
        """Nobody says anything."""
        await self.pair.wait(seconds)

    async def change(self, network: dict[str, Any]) -> None:
        """A user sets how the network treats the device."""
        await self.pair.world.change(self.pair.device, network=network)

    async def gateway_restarts(self, number: int) -> None:
        """A gateway forgets what it was given, and counts from nothing."""
        there = self.pair.world
        there.air.towers[f"{number:016x}"].restart(there.clocks.utc_us())

    async def end(self) -> None:
        """Under a clean sky everything is settled after a while, and then nothing is left to say."""
        pair = self.pair
        pair.life.lost = lambda: False
        for _ in range(60):
            if pair.device.must_join:
                await pair.join()
            heard = await pair.send(b"", None, confirmed=True)
            if heard and not (pair.session.known_radio().asked or pair.known.awaiting_ack or pair.known.queue):
                break
        agree(pair)
        assert pair.world.network.downlinks(pair.dev_eui) == []
        await nothing_is_lost_or_doubled(pair.world, pair)
        self.frames += [sent.phy_payload for sent in pair.world.air.sent]
        _no_counter_twice(self.frames)


def _no_counter_twice(frames: list[bytes]) -> None:
    """One downlink counter of a session carries one frame, however often and through whatever gateway."""
    carried: dict[tuple[str, bool, int], bytes] = {}
    for phy in frames:
        frame = parse(phy)
        if isinstance(frame, DataFrame):
            place = (frame.dev_addr, bool(frame.fport), frame.fcnt16)
            assert carried.setdefault(place, phy) == phy


STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("uplink"), st.booleans()),
    st.tuples(st.just("uplink"), st.booleans()),
    st.tuples(st.just("uplink"), st.booleans()),
    st.tuples(st.just("queue"), st.booleans()),
    st.tuples(st.just("rejoin"), st.sampled_from([0, 1, 2])),
    st.tuples(st.just("wait"), st.sampled_from([1, 30, 3_000, 100_000])),
    st.tuples(st.just("change"), st.sampled_from(SETTINGS)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("gateway_restarts"), st.sampled_from([1, 2])),
)


async def _tell(version: str, region_name: str, loss: float, seed: int, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as worlds:
            story = Story(Path(folder), worlds)
            await story.begin(version, region_name, loss, seed)
            for name, *given in steps:
                await getattr(story, name)(*given)
            await story.end()


@pytest.mark.parametrize("version", ["1.0.0", "1.0.2", "1.0.3", "1.0.4", "1.1"])
def test_whatever_happens_nothing_is_lost_no_counter_is_used_twice_and_both_sides_agree(version):
    @settings(max_examples=16, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(["EU868", "US915", "AS923-1"]),
        st.sampled_from([0.0, 0.2, 0.6]),
        st.integers(0, 1000),
        st.lists(STEPS, min_size=5, max_size=16),
    )
    def told(region_name: str, loss: float, seed: int, steps: list[Step]) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(_tell(version, region_name, loss, seed, steps))

    told()
