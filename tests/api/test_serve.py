import asyncio
import signal
import socket

import httpx
import pytest
from fastapi import FastAPI

from lns.api.problems import install
from lns.api.serve import serve
from lns.api.streams import Streams
from lns.config import ConfigError
from lns.live import Live


def application() -> FastAPI:
    app = FastAPI()
    install(app)
    app.state.streams = Streams(Live())
    started = app.state.started = asyncio.Event()
    finish = app.state.finish = asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        started.set()
        await finish.wait()
        return "done"

    @app.get("/bug")
    async def bug() -> None:
        raise KeyError("oops")

    return app


async def test_port_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            await serve(application(), "127.0.0.1", port)
    assert str(caught.value) == f"tcp port {port} on 127.0.0.1 is taken by another program"


async def test_address_of_another_machine_is_told() -> None:
    with pytest.raises(ConfigError, match=r"^cannot listen on tcp port 0 of 192\.0\.2\.1: "):
        await serve(application(), "192.0.2.1", 0)
    with pytest.raises(ConfigError, match=r"^api host no\.such\.invalid is no address of this machine: "):
        await serve(application(), "no.such.invalid", 0)


async def test_signals_stay_with_the_program() -> None:
    before = signal.getsignal(signal.SIGTERM)
    server = await serve(application(), "127.0.0.1", 0)
    assert signal.getsignal(signal.SIGTERM) is before
    await server.stop()


async def test_stop_lets_requests_finish_and_frees_the_port() -> None:
    app = application()
    server = await serve(app, "127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(client.get("/slow"))
            await app.state.started.wait()
            stopping = tasks.create_task(server.stop())
            app.state.finish.set()
            assert (await asking).json() == "done"
            await stopping
    again = await serve(application(), "127.0.0.1", server.port)
    assert again.port == server.port
    await again.stop()


async def test_a_bug_is_an_answer_too() -> None:
    server = await serve(application(), "127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        answer = await client.get("/bug")
    await server.stop()
    text = "the server failed to answer this request, its log says why"
    assert (answer.status_code, answer.json()) == (500, {"error": {"code": "internal", "message": text}})
