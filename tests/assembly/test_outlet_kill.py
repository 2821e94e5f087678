"""kill -9 of the whole server while it sends: nothing it acknowledged is lost, ids stay, devices keep their order."""

import asyncio
import json
import random
import secrets
import signal
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from lns.gateways import semtech
from tests.acceptance.servers import ServerProcess
from tests.api.radio import abp_session, frame
from tests.outlets.receiver import Receiver, Request, receiving

DEVICES, ROUNDS, A_ROUND = 4, 2, 30
GATEWAY = "a84041ffff1e8f2c"
SENDING = {"schedule": {"waits_s": [0.05] * 100}, "breaker": {"open_s": 0.05, "open_most_s": 0.1}}


class Air:
    """Frames of some devices, each sent until the gateway's datagram was acknowledged."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(("127.0.0.1", port))
        self.fcnt = 0

    def close(self) -> None:
        self._socket.close()

    async def uplinks(self, count: int) -> None:
        """A round of frames: one of each device, `count` times."""
        for _ in range(count):
            for device in range(DEVICES):
                data = frame(f"{device + 1:08x}", self.fcnt, 2, b"\x01")
                rxpk = {"tmst": 1, "freq": 868.1, "stat": 1, "modu": "LORA", "datr": "SF7BW125", "codr": "4/5",
                        "rssi": -70, "lsnr": 7.5, "size": len(data), "data": data}  # fmt: skip
                self._socket.send(semtech.build_push_data(secrets.token_bytes(2), GATEWAY, [rxpk]))
            self.fcnt += 1


async def api(server: ServerProcess, method: str, path: str, body: Any = None) -> Any:
    key = (server.data / "admin.key").read_text().strip()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, trust_env=False) as http:
        answer = await http.request(method, f"{server.url}/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


async def devices(server: ServerProcess) -> None:
    for n in range(DEVICES):
        body = {"dev_eui": f"70b3d57ed{n + 1:07x}", "abp": abp_session(f"{n + 1:08x}")}
        await api(server, "POST", "/devices", body)


async def heard(server: ServerProcess, fcnt: int) -> None:
    """Wait until the log holds what the devices have sent up to a counter."""
    async with asyncio.timeout(30):
        while True:
            found = [await server.get(f"/devices/70b3d57ed{n + 1:07x}") for n in range(DEVICES)]
            if all((one["session"]["fcnt_up"] or -1) >= fcnt for one in found):
                return
            await asyncio.sleep(0.02)


def told(receiver: Receiver) -> dict[str, list[tuple[int, str]]]:
    """Counter and id by device, in the order in which they came, each once."""
    found: dict[str, dict[str, int]] = {}
    for request in receiver.requests:
        body = json.loads(request.body)
        found.setdefault(body["device"]["dev_eui"], {}).setdefault(request.id, body["fcnt_up"])
    return {eui: [(fcnt, id_) for id_, fcnt in ids.items()] for eui, ids in found.items()}


async def slowly(request: Request, writer: asyncio.StreamWriter) -> None:
    """An answer that takes a moment, so that a kill finds attempts under way."""
    await asyncio.sleep(0.01)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


@pytest.mark.kill
@pytest.mark.timeout(180)
async def test_kill_9_while_deliveries_are_under_way_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with receiving() as receiver, ServerProcess(tmp_path) as server:
        receiver.then = slowly
        settings = {"url": receiver.url, "allow_private": True}
        outlet = {"name": "hook", "kind": "webhook", "settings": settings, "sending": SENDING}
        await api(server, "POST", "/applications/default/outlets", {**outlet, "filter": {"events": ["uplink"]}})
        await devices(server)
        with closing(Air(server.udp_port)) as air:
            for _ in range(ROUNDS):
                before = len(receiver.requests)
                await air.uplinks(A_ROUND)
                await heard(server, air.fcnt - 1)
                await receiver.got(before + chance.randrange(1, A_ROUND * DEVICES))
                await server.stop(signal.SIGKILL)
                await server.start()
        whole = DEVICES * ROUNDS * A_ROUND
        async with asyncio.timeout(60):
            while sum(len(one) for one in told(receiver).values()) < whole:
                await asyncio.sleep(0.05)
        await server.caught_up()
        log = await api(server, "GET", "/outlets")
        assert [(one["open"], one["dead"]) for one in log["items"]] == [(0, 0)]
    for ids in told(receiver).values():
        assert [fcnt for fcnt, _ in ids] == list(range(ROUNDS * A_ROUND))  # none missing, in order
        assert len({id_ for _, id_ in ids}) == ROUNDS * A_ROUND
    assert len(receiver.requests) < whole + ROUNDS * 8  # what was under way was sent again, and no more


@pytest.mark.kill
@pytest.mark.timeout(120)
async def test_a_replay_goes_on_after_a_kill(tmp_path: Path) -> None:
    async with receiving() as receiver, ServerProcess(tmp_path) as server:
        settings = {"url": receiver.url, "allow_private": True}
        outlet = {"name": "hook", "kind": "webhook", "settings": settings, "sending": SENDING}
        await api(server, "POST", "/applications/default/outlets", {**outlet, "filter": {"events": ["uplink"]}})
        await devices(server)
        with closing(Air(server.udp_port)) as air:
            await air.uplinks(75)
            await heard(server, 74)
        await receiver.got(300)
        where = "/applications/default/outlets/hook/replays"
        job = await api(server, "POST", where, {"max_per_s": 100})
        await receiver.got(350)
        await server.stop(signal.SIGKILL)
        between = len(receiver.requests)
        await server.start()
        async with asyncio.timeout(60):
            while (now := await api(server, "GET", f"{where}/{job['id']}"))["state"] != "done":
                await asyncio.sleep(0.05)
        assert now["messages"] == 300
        await server.caught_up()
        async with asyncio.timeout(30):
            while set(receiver.ids[300:]) != set(receiver.ids[:300]):
                await asyncio.sleep(0.05)
        assert between < 600, "it was not cut off"
        assert len(receiver.requests) < 600 + 20
