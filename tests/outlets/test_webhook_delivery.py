"""The whole way of a webhook: delivery log, worker, HTTP, against servers that fail in every way."""

import asyncio
import base64
import socket
from contextlib import AsyncExitStack, closing

import msgspec
import pytest

from lns.config import ConfigError
from lns.delivery.breaker import Limits
from lns.delivery.machine import State
from lns.delivery.pipe import Pipe
from lns.delivery.rows import Query
from lns.delivery.schedule import Schedule
from lns.outlets.signature import headers as signed
from lns.outlets.signature import key_of
from lns.outlets.webhook import Webhook
from lns.outlets.webhook_settings import WebhookSettings
from tests.delivery.build import message, messages
from tests.delivery.running import now_us, running
from tests.outlets.receiver import answer, receiving

QUICK = Pipe(schedule=Schedule(waits_s=(0.02,) * 9))
OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def webhook(url: str, **settings) -> Webhook:
    return Webhook(WebhookSettings(url, **{"allow_private": True, **settings}))


async def test_a_receiver_that_fails_a_few_times_gets_it_once_it_takes_it(tmp_path):
    async def cut(request, writer):
        writer.transport.abort()

    async with receiving() as receiver, running(tmp_path) as run:
        receiver.acts = [cut, answer(500), answer(503), answer(307), answer(409), answer(502), answer(200)]
        worker = await run.dispatch.add("x", webhook(receiver.url), QUICK)
        await run.feed(worker, messages(1, 2))
        await run.until({"delivered": 2})
        assert receiver.ids == ["uplink_1"] * 7 + ["uplink_2"]
        assert [a.status for a in await run.store.attempts(1)] == [None, 500, 503, 307, 409, 502, 200]


async def test_one_that_answers_after_the_timeout_gets_it_again_under_the_same_id(tmp_path):
    async def late(request, writer):
        await asyncio.Event().wait()

    async with receiving() as receiver, running(tmp_path) as run:
        receiver.acts = [late]
        worker = await run.dispatch.add("x", webhook(receiver.url, timeout_s=0.2), QUICK)
        await run.feed(worker, [message(1)])
        await run.until({"delivered": 1})
        assert receiver.ids == ["uplink_1", "uplink_1"]
        assert [request.body for request in receiver.requests] == [b'{"n": 1}'] * 2


async def test_410_ends_it_and_the_dead_letter_tells_why(tmp_path):
    async with receiving() as receiver, running(tmp_path) as run:
        receiver.acts = [answer(410, b"we moved")]
        worker = await run.dispatch.add("x", webhook(receiver.url), Pipe(at_once=1))
        await run.feed(worker, messages(1, 2))
        await run.until({"dead": 1, "pending": 1})
        (dead,) = await run.store.search(Query(state=State.DEAD))
        (attempt,) = await run.store.attempts(dead.id)
        assert (dead.reason, dead.body) == ("gone", b'{"n": 1}')
        assert attempt.request.startswith(f"POST {receiver.url}\n")
        assert attempt.response.endswith("\n\nwe moved")
        assert len(receiver.requests) == 1


async def test_a_dead_webhook_among_a_hundred_costs_the_others_nothing(tmp_path):
    async with AsyncExitStack() as stack:
        blackhole = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))  # never accepts
        receivers = [await stack.enter_async_context(receiving()) for _ in range(99)]
        run = await stack.enter_async_context(running(tmp_path))
        urls = [f"http://127.0.0.1:{blackhole.getsockname()[1]}", *(receiver.url for receiver in receivers)]
        workers = [await run.dispatch.add(f"{n}", webhook(url), Pipe()) for n, url in enumerate(urls)]
        start_us = now_us()
        for worker in workers:
            await run.feed(worker, messages(1, 8, lanes=4))
        await run.until({"delivered": 792, "pending": 8}, 60)
        assert now_us() - start_us < 30_000_000
        assert all(sorted(receiver.ids) == sorted(f"uplink_{n}" for n in range(1, 9)) for receiver in receivers)


async def test_a_backlog_drains_at_its_rate_with_each_devices_order(tmp_path):
    async with receiving() as receiver, running(tmp_path) as run:
        pipe = Pipe(batch=100, per_s=4000.0)
        worker = await run.dispatch.add("x", webhook(receiver.url, body="array"), pipe, paused=True)
        await run.feed(worker, messages(1, 10_000, lanes=400))
        start_us = now_us()
        await worker.resume()
        await run.until({"delivered": 10_000}, 60)
        assert now_us() - start_us >= 1_490_000  # 4,000 at once, 6,000 at 4,000 a second
        numbers = [item["n"] for request in receiver.requests for item in msgspec.json.decode(request.body)]
    assert sorted(numbers) == list(range(1, 10_001))
    for lane in range(400):
        ours = [n for n in numbers if n % 400 == lane]
        assert ours == sorted(ours)


async def test_one_bad_item_of_a_batch_is_set_aside_alone(tmp_path):
    async def picky(request, writer):
        items = msgspec.json.decode(request.body)
        results = [{"i": i, "code": 422} for i, item in enumerate(items) if item["n"] == 3]
        await answer(207 if results else 200, msgspec.json.encode(_results(len(items), results)))(request, writer)

    async with receiving() as receiver, running(tmp_path) as run:
        receiver.then = picky
        pipe = Pipe(batch=10, at_once=1, schedule=QUICK.schedule)
        worker = await run.dispatch.add("x", webhook(receiver.url, body="array"), pipe, paused=True)
        await run.feed(worker, messages(1, 5, lanes=5))
        await worker.resume()
        await run.until({"delivered": 4, "dead": 1})
        assert [len(msgspec.json.decode(request.body)) for request in receiver.requests] == [5, 1, 1]


def _results(count, rejected):
    refused = {entry["i"] for entry in rejected}
    return {"accepted": [i for i in range(count) if i not in refused], "rejected": rejected}


async def test_a_secret_is_changed_without_an_unsigned_moment(tmp_path):
    async with receiving() as receiver, running(tmp_path) as run:
        for n, secrets in enumerate([(OLD,), (NEW, OLD), (NEW,)], 1):
            worker = await run.dispatch.add("x", webhook(receiver.url, secrets=secrets), QUICK)
            await run.feed(worker, [message(n)])
            await run.until({"delivered": n})
            await run.dispatch.remove("x", forget=False)
    for request, (old, new) in zip(receiver.requests, [(True, False), (True, True), (False, True)], strict=True):
        assert _signed_by(OLD, request) is old
        assert _signed_by(NEW, request) is new


def _signed_by(secret, request):
    found = dict(signed([key_of(secret)], request.id, int(request.headers["webhook-timestamp"]), request.body))
    return found["webhook-signature"] in request.headers["webhook-signature"].split(" ")


async def test_an_outage_costs_no_message_its_tries(tmp_path):
    async with receiving() as receiver, running(tmp_path) as run:
        receiver.then = answer(503)
        pipe = Pipe(schedule=Schedule(waits_s=(0.02,) * 4), breaker=Limits(row=4, open_s=0.05, open_most_s=0.05))
        worker = await run.dispatch.add("x", webhook(receiver.url), pipe)
        await run.feed(worker, messages(1, 200, lanes=200))
        await receiver.got(12)
        receiver.then = answer(200)
        await run.until({"delivered": 200}, 30)


async def test_an_outlet_that_cannot_be_opened_ends_no_other(tmp_path):
    async with receiving() as receiver, running(tmp_path) as run:
        worker = await run.dispatch.add("x", webhook(receiver.url), QUICK)
        with pytest.raises(ConfigError, match=r"^ca_location /nowhere cannot be used: "):
            await run.dispatch.add("y", webhook(receiver.url, ca_location="/nowhere"), QUICK)
        await run.feed(worker, [message(1)])
        await run.until({"delivered": 1})
        assert list(run.dispatch.workers) == ["x"]
