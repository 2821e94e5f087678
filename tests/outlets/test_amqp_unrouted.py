"""Messages that RabbitMQ has no queue for, through delivery log and outlet."""

import logging
from pathlib import Path

import aio_pika
import pytest

from lns import metrics
from lns.delivery.pipe import Pipe
from lns.delivery.rows import Query
from lns.outlets import kinds
from tests.brokers_debian import Rabbit, rabbit
from tests.delivery.running import running
from tests.outlets.sending import by_eui, outlet, sent

__all__ = ["rabbit"]


async def test_what_no_queue_is_bound_for_is_delivered_and_counted_and_the_log_tells_it(
    rabbit: Rabbit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    definition = outlet("amqp", {"port": rabbit.port})
    before = metrics.outlet_unrouted.values.get((definition.key,), 0)
    async with running(tmp_path) as run:
        destination = kinds.destination(definition, by_eui)
        worker = await run.dispatch.add(definition.key, destination, Pipe(at_once=1, batch=200))
        await run.feed(worker, sent(40))
        await run.until({"delivered": 40})
        await bind(rabbit)
        await run.feed(worker, sent(40, first=40))
        await run.until({"delivered": 80})
        found = await run.store.search(Query())
        answers = [(await run.store.attempts(one.id))[0].response for one in reversed(found)]
    assert answers == ["the broker has no queue bound for it"] * 40 + [""] * 40
    assert metrics.outlet_unrouted.values[definition.key,] == before + 40
    assert [one.message for one in caplog.records] == [
        "outlet 1/x: a message to inflight.greenhouse.0000000000000000.uplink is lost:"
        " the broker has no queue bound for it"
    ]


async def bind(server: Rabbit) -> None:
    connection = await aio_pika.connect(host="127.0.0.1", port=server.port)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("all", durable=True)
        await queue.bind("inflight", "#")
