"""A real pool for the tests, and short ways to use it."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest_asyncio

from decoders.contract import Request, Result
from decoders.pool import Pool

RECEIVED_US = 1_768_471_200_000_000  # 2026-01-15T10:00:00Z

Decode = Callable[..., Awaitable[Result]]


def key_of(source: str) -> str:
    """The key under which the server knows a script."""
    return hashlib.sha256(source.encode()).hexdigest()


def request(
    payload: bytes = b"\x01", fport: int = 1, dev_eui: str = "0102030405060708", fcnt: int = 7, **more
) -> Request:
    """An uplink with usual values."""
    return Request(payload, fport, more.pop("recv_time_us", RECEIVED_US), dev_eui, fcnt, **more)


@asynccontextmanager
async def running(**settings) -> AsyncIterator[Pool]:
    """A pool for the length of a block."""
    pool = Pool(**settings)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """A pool that the tests of a module share; its tests have to run on the module's loop."""
    async with running() as shared:
        yield shared


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decode(pool: Pool) -> Decode:
    """Decode one uplink with a script."""

    async def one(source: str, payload: bytes = b"\x01", fport: int = 1, **more) -> Result:
        return (await pool.decode(key_of(source), source, [request(payload, fport, **more)]))[0]

    return one
