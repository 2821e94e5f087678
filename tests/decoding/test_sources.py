"""Where stored uplinks come from."""

import asyncio

from lns.decoding.sources import ListedUplinks, LoggedUplinks, Span
from lns.exchange.loop import run_consumer
from tests.exchange.build import Recorder, running, uplink


async def seqs(source, after, last, limit):
    found, upto = await source.read(after, last, limit)
    return [stored.seq for stored in found], upto


async def test_the_log_is_read_page_by_page_up_to_the_end_of_the_span(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(1, 8)])
        source = LoggedUplinks(exchange, "decoder")
        assert await source.span(None, None) == Span(0, 7)
        assert await seqs(source, 0, 7, 3) == ([1, 2, 3], 3)
        assert await seqs(source, 3, 5, 3) == ([4, 5], 5)
        assert await seqs(source, 5, 5, 3) == ([], 5)
        assert await seqs(source, 6, 7, 3) == ([7], 7)


async def test_a_span_ends_where_the_decoder_is(tmp_path):
    async with running(tmp_path / "x.db") as exchange, asyncio.TaskGroup() as tasks:
        recorder = Recorder("decoder")
        recorder.fail = True
        task = tasks.create_task(run_consumer(exchange, recorder))
        await exchange.append([("uplink", uplink(n)) for n in range(1, 4)])
        assert await LoggedUplinks(exchange, "decoder").span(None, None) == Span(0, 0)
        assert await LoggedUplinks(exchange, "another").span(None, None) == Span(0, 3)
        task.cancel()


async def test_listed_uplinks_are_read_in_their_order_and_what_is_gone_is_passed_over(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(1, 8)])
        source = ListedUplinks(exchange, [6, 2, 999, 4])
        assert await source.span(None, None) == Span(0, 999)
        assert await seqs(source, 0, 999, 2) == ([2, 4], 4)
        assert await seqs(source, 4, 999, 2) == ([6], 999)
        assert await ListedUplinks(exchange, []).span(None, None) == Span(0, 0)
