"""What limits hold back reaches no outlet of a whole server, in none of the formats; the uplink itself does."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.api.answers import ok
from tests.assembly.serving import World, shown
from tests.brokers import Broker, Reader
from tests.outlets.receiver import Receiver, receiving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOURCE = """
function decodeUplink(input) {
  var n = input.fCnt;
  return {data: {held: {value: 1000 + n, unit: 'K'}, in: {batt_mv: 2000 + n, free: n}, list: [3000 + n, n], same: 5}};
}
"""
ONCE = {"on_change": False, "min_interval_s": 3600}  # an hour's limit would begin anew at the turn of the hour
RULES = {"held": ONCE, "in.batt_mv": ONCE, "list.0": ONCE, "same": {"heartbeat_s": 0}}
ALL = RULES | {"in.free": ONCE, "list.1": ONCE, "same": ONCE}
WHOLE = {"held": {"value": 1000, "unit": "K"}, "in": {"batt_mv": 2000, "free": 0}, "list": [3000, 0], "same": 5}
LEFT = {"in": {"free": 1}, "list": [None, 1], "same": 5}


async def limited(world: World, name: str, number: int, **more: Any) -> str:
    """A device in an application of its own; it has a codec of its own too."""
    await world.application(name)
    ok(await world.api.post("/codecs", json={"name": name, "source": SOURCE}), 201)
    return await world.device(number, name, codec=name, **more)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [msgspec.json.decode(request.body) for request in receiver.requests]


async def test_each_format_tells_what_is_left_of_the_object(world: World) -> None:
    await limited(world, "left", 61, rules=RULES)
    async with receiving() as own, receiving() as chirpstack, receiving() as tts:
        await world.outlet("own", own.url, "left", filter={"events": ["measurements"]})
        await world.outlet("cs", chirpstack.url, "left", format="chirpstack", filter={"events": ["up"]})
        await world.outlet("tts", tts.url, "left", format="tts", filter={"events": ["up"]})
        await world.uplinks(2, 61)
        for receiver in (own, chirpstack, tts):
            await receiver.got(2)
            for held in (b"1001", b"2001", b"3001"):
                assert held not in receiver.requests[1].body
        assert [one["decoded"] for one in told(own)] == [WHOLE, LEFT]
        assert [one["object"] for one in told(chirpstack)] == [WHOLE, LEFT]
        assert [one["uplink_message"]["decoded_payload"] for one in told(tts)] == [WHOLE, LEFT]
        fields = [{m["field"] for m in one["measurements"]} for one in told(own)]
        assert fields[1] == {"in.free", "list.1"}


async def test_an_uplink_of_which_everything_is_held_back_is_still_told(world: World) -> None:
    await limited(world, "nothing", 62, rules=ALL)
    async with receiving() as own, receiving() as chirpstack, receiving() as tts:
        await world.outlet("own", own.url, "nothing", filter={"events": ["uplink", "measurements"]})
        await world.outlet("cs", chirpstack.url, "nothing", format="chirpstack", filter={"events": ["up"]})
        await world.outlet("tts", tts.url, "nothing", format="tts", filter={"events": ["up"]})
        await world.uplinks(2, 62)
        for receiver, count in ((own, 3), (chirpstack, 2), (tts, 2)):
            await receiver.got(count)
        await shown(world, "/applications/nothing/outlets/own", lambda one: one["open"] == 0)
        schemas = sorted(one["schema"] for one in told(own))
        assert schemas == ["inflight.measurements.v1", "inflight.uplink.v1", "inflight.uplink.v1"]
        up = told(chirpstack)[1]
        assert (up["object"], up["data"]) == ({"in": {}, "list": [None, None]}, "AWcA0g==")
        message = told(tts)[1]["uplink_message"]
        assert (message["decoded_payload"], message["frm_payload"]) == ({"in": {}, "list": [None, None]}, "AWcA0g==")


async def test_protobuf_tells_what_is_left_of_the_object(world: World, noida: Broker) -> None:
    pytest.importorskip("google.protobuf", reason="no Protobuf: pip install inflight-lns[protobuf]")
    from lns.outlets.formats.inflight_protobuf import MESSAGES

    await limited(world, "protobuf", 63, rules=RULES)
    settings = {"bootstrap_servers": noida.address, "topics": {"measurements": "limits.left"}, "encoding": "protobuf"}
    body = {"name": "own", "kind": "kafka", "settings": settings, "filter": {"events": ["measurements"]}}
    ok(await world.api.post("/applications/protobuf/outlets", json=body), 201)
    await world.uplinks(2, 63)
    wanted: dict[str, Any] = {"application": "protobuf", "status": "delivered"}
    await shown(world, "/deliveries", lambda log: len(log["items"]) == 2, **wanted)
    reader = Reader(noida.address, ["limits.left"])
    found = await asyncio.to_thread(reader.read, lambda seen: len(seen) >= 2)
    messages = [MESSAGES["Measurements"].FromString(one.value) for one in found]
    assert [msgspec.json.decode(one.decoded_json) for one in messages] == [WHOLE, LEFT]
    ok(await world.api.delete("/applications/protobuf/outlets/own"))
