"""A dead webhook among a hundred costs the other ninety-nine nothing."""

import asyncio
from pathlib import Path
from typing import Any

from lns.exchange.records import Uplink
from tests.acceptance.faults.books import check_inbox
from tests.acceptance.faults.inbox import Inbox
from tests.acceptance.faults.plant import APPLICATION, PATIENT, Plant, planted, until
from tests.acceptance.servers import running_fleet, summary
from tests.outlets.receiver import Request, answer, receiving

OUTLETS, UPLINKS, DEVICES = 100, 40, 5
DEAD = "hook-42"
SILENT = 2  # of its answers never come, the others are failures
FLEET = ("--activation", "abp", "--uplinks", str(UPLINKS), "--devices", str(DEVICES), "--gateways", "1", "--loss", "0")


async def test_a_dead_webhook_costs_the_other_ninety_nine_nothing(tmp_path: Path) -> None:
    boxes = {f"hook-{n}": Inbox() for n in range(OUTLETS)}
    tried: list[str] = []

    async def take(request: Request, writer: asyncio.StreamWriter) -> None:
        name = request.path.strip("/")
        if name != DEAD:
            boxes[name].take(request.id, request.body)
            await answer()(request, writer)
            return
        tried.append(request.id)
        if len(tried) <= SILENT:
            await asyncio.Event().wait()
        await answer(500)(request, writer)

    async with receiving() as receiver, planted(Plant, tmp_path) as plant:
        receiver.then = take
        for name in boxes:
            body = {"name": name, "kind": "webhook", "filter": {"events": ["uplink"]}}
            settings = {"url": f"{receiver.url}/{name}", "allow_private": True}
            await plant.api("POST", f"/applications/{APPLICATION}/outlets", {**body, "settings": settings})
        ledger = tmp_path / "ledger.jsonl"
        async with running_fleet(plant.server, ledger, *FLEET, *PATIENT, "--rate", "40") as fleet:
            assert (await summary(fleet))["sent"] == UPLINKS
        await plant.server.caught_up()  # the dead one's own reading of the log too
        others = [box for name, box in boxes.items() if name != DEAD]

        outlets: dict[str, dict[str, Any]] = {}

        async def done() -> bool:
            outlets.update({one["name"]: one for one in (await plant.api("GET", "/outlets"))["items"]})
            waits = any(one["open"] for name, one in outlets.items() if name != DEAD)  # whose answers are not noted yet
            return not waits and all(box.taken >= UPLINKS for box in others)

        await until(done, lambda: f"{UPLINKS} messages at all: {sorted({box.taken for box in others})}")
        records = [one for one in plant.book().upto(await plant.head()) if isinstance(one.record, Uplink)]
    assert len(records) == UPLINKS
    for name, box in boxes.items():
        if name != DEAD:
            check_inbox(name, box, records)
            assert (name, box.taken) == (name, UPLINKS)  # nothing came twice
    assert {name: one["open"] for name, one in outlets.items() if one["open"]} == {DEAD: UPLINKS}
    assert {name for name, one in outlets.items() if one["last_error"] or one["breaker"] != "closed"} <= {DEAD}
    assert len(tried) > SILENT
    assert len(set(tried)) <= DEVICES  # no device's second message before its first
