import ssl

import h11
import pytest

from lns.outlets.http import Client, Head
from lns.outlets.private_addresses import Guard
from tests.outlets.receiver import answer, certify, receiving


@pytest.fixture
async def client():
    found = Client(Guard(True), ssl.create_default_context())
    yield found
    await found.close()


async def post(client, url, body=b"{}"):
    connection, head = await client.post(url, [("webhook-id", "1")], body)
    kept = bytearray()
    whole = await connection.read(kept, 1_000_000)
    client.keep(url, connection)
    return head, bytes(kept), whole


async def test_a_connection_is_used_again(client):
    async with receiving() as receiver:
        receiver.then = answer(200, b"yes")
        for _ in range(3):
            assert await post(client, receiver.url) == (Head(200, [("content-length", "3")]), b"yes", True)
        assert receiver.connections == 1
        assert receiver.requests[0].headers["host"] == receiver.url.removeprefix("http://")


async def test_path_and_query_are_sent_as_they_are(client):
    async with receiving() as receiver:
        await post(client, receiver.url)
        await post(client, f"{receiver.url}/a%2Fb?c=d%20e")
        assert [request.path for request in receiver.requests] == ["/", "/a%2Fb?c=d%20e"]


async def test_a_connection_that_was_closed_while_idle_is_no_trouble(client):
    async def once(request, writer):
        await answer(200)(request, writer)
        writer.transport.abort()

    async with receiving() as receiver:
        receiver.then = once
        for n in range(20):
            assert (await post(client, receiver.url))[0].status == 200
            assert len(receiver.requests) == n + 1


async def test_interim_answers_are_passed_over(client):
    async def early(request, writer):
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with receiving() as receiver:
        receiver.then = early
        assert (await post(client, receiver.url))[0].status == 200


@pytest.mark.parametrize(
    ("answered", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
    ],
)
async def test_bodies_end_as_the_protocol_says(client, answered, body):
    async def act(request, writer):
        writer.write(answered)
        if answered.startswith(b"HTTP/1.0"):
            writer.write_eof()

    async with receiving() as receiver:
        receiver.then = act
        assert (await post(client, receiver.url))[1:] == (body, True)


async def test_an_answer_that_is_no_http_is_refused(client):
    async def act(request, writer):
        writer.write(b"220 mail.example ESMTP\r\n\r\n")

    async with receiving() as receiver:
        receiver.then = act
        with pytest.raises(h11.RemoteProtocolError):
            await post(client, receiver.url)


async def test_only_a_server_with_a_trusted_certificate_is_told_anything(client, tmp_path):
    certificate = certify("127.0.0.1", tmp_path)
    async with receiving(certificate) as receiver:
        with pytest.raises(ssl.SSLCertVerificationError):
            await post(client, receiver.url)
        assert receiver.requests == []
        trusting = Client(Guard(True), ssl.create_default_context(cafile=tmp_path / "certificate.pem"))
        assert (await post(trusting, receiver.url))[0].status == 200
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await post(trusting, receiver.url.replace("127.0.0.1", "localhost"))
        await trusting.close()


async def test_no_answer_at_all_is_told(client):
    async def cut(request, writer):
        writer.close()

    async with receiving() as receiver:
        receiver.then = cut
        with pytest.raises(OSError, match=r"^the connection was closed without an answer$"):
            await post(client, receiver.url)
