import asyncio
from contextlib import asynccontextmanager

import pytest

from lns.config import ConfigError
from lns.delivery.outcome import KEPT_BYTES, Outgoing, Verdict
from lns.outlets.signature import headers as signed
from lns.outlets.signature import key_of
from lns.outlets.webhook import Webhook, verdict_of
from lns.outlets.webhook_settings import WebhookSettings
from tests.outlets.receiver import answer, receiving

AT_S = 1_700_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def message(n: int, lane: str = "a") -> Outgoing:
    return Outgoing(f"uplink_{n}", n, lane, "uplink", b'{"n":%d}' % n)


@asynccontextmanager
async def webhook(url: str, **settings):
    found = Webhook(WebhookSettings(url, **{"allow_private": True, **settings}), lambda: AT_S * 1_000_000)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


async def once(receiver, **settings):
    async with webhook(receiver.url, **settings) as outlet:
        return (await outlet.deliver([message(1)]))[0]


async def test_what_is_secret_in_an_address_is_sent_and_not_written_down():
    async with receiving() as receiver:
        outcome = await once(receiver, query="event={event}&token=t0k3n")
        assert receiver.requests[0].path == "/?event=uplink&token=t0k3n"
    assert outcome.request.splitlines()[0] == f"POST {receiver.url}?event=uplink&token=***"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (301, Verdict.RETRY),
        (400, Verdict.REFUSED),
        (404, Verdict.REFUSED),
        (408, Verdict.RETRY),
        (409, Verdict.RETRY),
        (410, Verdict.GONE),
        (425, Verdict.RETRY),
        (429, Verdict.THROTTLED),
        (500, Verdict.RETRY),
        (502, Verdict.THROTTLED),
        (503, Verdict.RETRY),
        (504, Verdict.THROTTLED),
    ],
)
def test_a_status_means(status, verdict):
    assert verdict_of(status) is verdict


async def test_a_message_is_posted_and_signed():
    async with receiving() as receiver:
        outcome = await once(receiver, secrets=(SECRET,), headers={"Authorization": "Bearer secret"})
    (request,) = receiver.requests
    assert outcome.verdict is Verdict.DELIVERED
    assert (request.body, request.headers["authorization"]) == (b'{"n":1}', "Bearer secret")
    expected = dict(signed([key_of(SECRET)], "uplink_1", AT_S, b'{"n":1}'))
    assert {name: request.headers[name] for name in expected} == expected
    assert "Bearer secret" not in outcome.request
    assert "Authorization: ***" in outcome.request


async def test_connections_are_used_again():
    async with receiving() as receiver, webhook(receiver.url) as outlet:
        await outlet.deliver([message(1), message(2)])
        await outlet.deliver([message(3)])
        assert receiver.ids == ["uplink_1", "uplink_2", "uplink_3"]
        assert receiver.connections == 1


async def test_retry_after_is_passed_on():
    async with receiving() as receiver:
        receiver.then = answer(429, b"slow down", "Retry-After: 17\r\n")
        outcome = await once(receiver)
    assert (outcome.verdict, outcome.retry_after_s, outcome.error) == (Verdict.THROTTLED, 17.0, "status 429")
    assert outcome.response.startswith("429\n")
    assert outcome.response.endswith("\n\nslow down")


async def test_a_redirect_is_not_followed():
    async with receiving() as receiver:
        receiver.then = answer(302, headers=f"Location: {receiver.url}/elsewhere\r\n")
        outcome = await once(receiver)
    assert (outcome.verdict, outcome.error) == (Verdict.RETRY, "status 302, redirects are not followed")
    assert len(receiver.requests) == 1


async def test_an_answer_is_cut_at_4_kb():
    async with receiving() as receiver:
        receiver.then = answer(500, b"x" * 1_000_000)
        outcome = await once(receiver)
    assert (outcome.status, len(outcome.response)) == (500, KEPT_BYTES)


async def test_an_answer_that_comes_too_late_is_none():
    async def late(request, writer):
        await asyncio.Event().wait()

    async with receiving() as receiver:
        receiver.then = late
        outcome = await once(receiver, timeout_s=0.2)
    assert (outcome.verdict, outcome.error) == (Verdict.RETRY, "no answer within 0.2 s")


async def test_a_head_in_drops_does_not_hold_the_outlet():
    async def drops(request, writer):
        for byte in b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.01)

    async with receiving() as receiver:
        receiver.then = drops
        assert (await once(receiver, timeout_s=0.3)).error == "no answer within 0.3 s"


async def test_a_body_in_drops_does_not_undo_the_status():
    async def drops(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx")
        await writer.drain()
        await asyncio.Event().wait()

    async with receiving() as receiver:
        receiver.then = drops
        outcome = await once(receiver, timeout_s=0.3)
    assert (outcome.verdict, outcome.status) == (Verdict.DELIVERED, 200)


async def test_an_answer_cut_off_is_trouble():
    async def cut(request, writer):
        writer.write(b"HTTP/1.1 20")
        await writer.drain()
        writer.transport.abort()

    async with receiving() as receiver:
        receiver.then = cut
        outcome = await once(receiver)
    assert (outcome.verdict, outcome.status) == (Verdict.RETRY, None)
    assert outcome.error


async def test_an_answer_that_is_no_http_is_trouble():
    async def other(request, writer):
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()

    async with receiving() as receiver:
        receiver.then = other
        assert (await once(receiver)).verdict is Verdict.RETRY


async def test_a_closed_port_is_trouble():
    async with receiving() as receiver:
        url = receiver.url
    async with webhook(url) as outlet:
        (outcome,) = await outlet.deliver([message(1)])
    assert (outcome.verdict, outcome.status) == (Verdict.RETRY, None)


async def test_a_private_address_is_refused_unless_allowed():
    async with receiving() as receiver:
        outcome = await once(receiver, allow_private=False)
    how = "allow it by allow_private=true of the outlet, unless deliveries.allow_private of the server is off"
    assert outcome.error == f"127.0.0.1 is private: {how}"
    assert receiver.requests == []


async def many(receiver, count=3, **settings):
    async with webhook(receiver.url, body="array", **settings) as outlet:
        return await outlet.deliver([message(n) for n in range(count)])


async def test_a_batch_is_one_array_that_succeeds_as_a_whole():
    async with receiving() as receiver:
        outcomes = await many(receiver)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 3
    assert [request.body for request in receiver.requests] == [b'[{"n":0},{"n":1},{"n":2}]']
    assert receiver.ids[0].startswith("batch_")


@pytest.mark.parametrize(
    ("status", "body", "verdicts"),
    [
        (207, b'{"accepted":[0,2],"rejected":[{"i":1,"code":422}]}', "DRD"),
        (200, b'{"rejected":[{"i":0,"code":500},{"i":2,"code":410}]}', "tDR"),  # what is not named is accepted
        (207, b'{"accepted":[1]}', "tDt"),  # what is not named is sent again
        (207, b"no json", "ttt"),
        (200, b"no json", "DDD"),
        (200, b'{"accepted":[7],"rejected":[{"i":-1},{"i":9}]}', "DDD"),
        (207, b'{"accepted":[0,1,2],"pad":"' + b"x" * 70_000 + b'"}', "ttt"),  # cut, so not trusted
        (503, b'{"accepted":[0,1,2]}', "ttt"),
    ],
)
async def test_one_bad_item_never_sends_its_neighbours_again(status, body, verdicts):
    names = {"D": Verdict.DELIVERED, "R": Verdict.REFUSED, "t": Verdict.RETRY}
    async with receiving() as receiver:
        receiver.then = answer(status, body)
        outcomes = await many(receiver)
    assert [outcome.verdict for outcome in outcomes] == [names[letter] for letter in verdicts]
    assert all(outcome.alive for outcome in outcomes) is (status < 300)


async def test_a_batch_is_split_by_address():
    async with receiving() as receiver:
        outcomes = await many(receiver, paths={"*": "{seq}"})
    assert [request.path for request in receiver.requests] == ["/0", "/1", "/2"]
    assert len(outcomes) == 3


async def test_authorities_that_cannot_be_read_are_named():
    with pytest.raises(ConfigError, match=r"^ca_location /nowhere cannot be used: "):
        async with webhook("https://127.0.0.1", ca_location="/nowhere"):
            pass


async def test_an_outlet_that_is_not_open_says_so():
    (outcome,) = await Webhook(WebhookSettings("http://127.0.0.1")).deliver([message(1)])
    assert outcome.error == "the outlet is not open"
