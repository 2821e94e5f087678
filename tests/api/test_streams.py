import pytest

from lns.api.streams import Streams
from lns.live import Live
from tests.api.radio import first


async def test_streams_end_when_the_server_stops() -> None:
    live = Live(queue_size=1)
    streams = Streams(live)
    open_one = streams.events()
    assert await anext(open_one) == b": connected\n\n"
    live.publish({"kind": "uplink"})
    assert await anext(open_one) == b'data: {"kind":"uplink"}\n\n'
    live.publish({"kind": "lost, the queue holds one"})
    streams.close()
    assert [chunk async for chunk in open_one] == []
    assert not live.watched
    assert [chunk async for chunk in streams.events()] == [b": connected\n\n"]


async def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lns.api.streams.KEEP_ALIVE_S", 0.001)
    streams = Streams(Live())
    assert await first(streams.events(), lambda chunk: chunk == b": \n\n")


async def test_what_waits_goes_out_in_one_piece() -> None:
    live = Live()
    stream = Streams(live).events()
    await anext(stream)
    for number in range(3):
        live.publish({"kind": "uplink", "fcnt": number})
    assert await anext(stream) == b"".join(b'data: {"kind":"uplink","fcnt":%d}\n\n' % number for number in range(3))
    await stream.aclose()
    assert not live.watched
