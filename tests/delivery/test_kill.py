"""kill -9 between send and mark: sent again under the same id; nothing that was taken in is lost."""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from tests.outlets.receiver import receiving

ROUNDS = 12
TOTAL = 600

SENDER = """
import asyncio, random, sys
from pathlib import Path
from lns.delivery.breaker import Limits
from lns.delivery.dispatch import Intake
from lns.delivery.pipe import Pipe
from lns.outlets.webhook import Webhook
from lns.outlets.webhook_settings import WebhookSettings
from lns.exchange.records import Stored
from tests.delivery.build import message
from tests.delivery.running import running
from tests.exchange.build import uplink

async def render(stored):
    return [message(stored.seq, str(stored.record.device_id))]

async def main(folder, url, total):
    async with running(Path(folder)) as run:
        webhook = Webhook(WebhookSettings(url, allow_private=True))
        worker = await run.dispatch.add("x", webhook, Pipe(breaker=Limits(row=10_000)))
        intake = Intake(worker, run.around, frozenset(), render)
        first = await intake.position() + 1
        for n in range(first, total + 1, 10):
            await intake.handle([Stored(i, "uplink", uplink(i, i % 7)) for i in range(n, min(n + 10, total + 1))])
        await run.until({"delivered": total}, 60)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def start(folder: Path, url: str, total: int) -> asyncio.subprocess.Process:
    root = Path(__file__).parents[2]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDER, str(folder), url, str(total), cwd=root, stderr=asyncio.subprocess.PIPE
    )


async def test_what_was_sent_and_not_marked_is_sent_again_under_the_same_id(tmp_path):
    async def hang(request, writer):
        await asyncio.Event().wait()

    async with receiving() as receiver:
        receiver.acts = [hang]
        process = await start(tmp_path, receiver.url, 1)
        await receiver.got(1)
        os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
        process = await start(tmp_path, receiver.url, 1)
        _, errors = await process.communicate()
        assert (process.returncode, errors.decode()) == (0, "")
    assert receiver.ids == ["uplink_1", "uplink_1"]


@pytest.mark.kill
async def test_every_message_arrives_in_order_though_the_sender_is_killed(tmp_path):
    chance = random.Random(7)
    async with receiving() as receiver:
        for _ in range(ROUNDS):
            process = await start(tmp_path, receiver.url, TOTAL)
            await receiver.got(min(len(receiver.requests) + chance.randrange(1, 40), TOTAL))
            os.kill(process.pid, signal.SIGKILL)
            await process.communicate()
        process = await start(tmp_path, receiver.url, TOTAL)
        _, errors = await process.communicate()
        assert (process.returncode, errors.decode()) == (0, "")
    numbers = [int(id_.removeprefix("uplink_")) for id_ in receiver.ids]
    assert set(numbers) == set(range(1, TOTAL + 1))
    for device in range(7):
        firsts = list(dict.fromkeys(n for n in numbers if n % 7 == device))
        assert firsts == sorted(firsts)
