"""Retention of the log: what is old or too much goes, what somebody still has to read stays."""

from lns.config import Exchange as ExchangeConfig
from tests.exchange.build import running, uplink

UPLINK = frozenset({"uplink"})


async def test_retention_never_drops_what_a_consumer_has_not_read(tmp_path):
    async with running(tmp_path / "x.db", ExchangeConfig(commit_interval_ms=1, retention_days=0)) as exchange:
        for n in range(4):
            await exchange.append([("uplink", uplink(n))])
        exchange.cursor("slow", UPLINK, 2)
        exchange.cursor("fast", UPLINK, 4)
        assert await exchange.expire(2**60) == 2
        assert [s.seq for s in (await exchange.read(0, UPLINK, 10))[0]] == [3, 4]


async def test_retention_by_size_drops_young_records_too(tmp_path):
    async with running(tmp_path / "x.db", ExchangeConfig(commit_interval_ms=1, retention_bytes=1)) as exchange:
        await exchange.append([("uplink", uplink(1))])
        exchange.cursor("done", UPLINK, 1)
        assert await exchange.expire(0) == 1
