"""A server with engines attached and a fleet that sends, for tests that break one thing and look at all the others."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from lns.series.store import SeriesStore
from tests.acceptance.faults.books import Truth, check_inbox, check_store
from tests.acceptance.faults.inbox import EXCHANGE, TOPIC, Inbox
from tests.acceptance.servers import ServerProcess

APPLICATION = "simulated"
QUICK = {"schedule": {"waits_s": [0.2] * 500}, "breaker": {"open_s": 0.2, "open_most_s": 0.5}}
"""Sending that a test need not wait for; a broker takes no more batches at once than it does otherwise."""
WANTED = {"events": ["uplink", "measurements"]}
RADIO = ("--activation", "abp", "--uplinks", "0", "--duration", "900", "--loss", "0")
"""A fleet that sends until it is told to stop, and waits for a slow acknowledgement instead of giving it up."""
PATIENT = ("--ack-timeout", "30", "--window", "30000")
Step = Callable[[], Awaitable[object]]
OUTAGE_RECORDS = 80
"""What the log grows by while something is broken, at least."""


P = TypeVar("P", bound="Plant")


class Plant:
    """`stores` open what the server writes, to read it here; `inboxes` are by the name of the outlet."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.stores: dict[str, Callable[[], SeriesStore]] = {}
        self.inboxes: dict[str, Inbox] = {}
        self.truth: Truth | None = None
        self._looked: dict[str, int] = {}
        self._http = httpx.AsyncClient(timeout=30, trust_env=False, verify=False)  # one: to make one takes long

    async def close(self) -> None:
        await self._http.aclose()
        if self.truth is not None:
            self.truth.close()

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call that has to go well."""
        headers = {"Authorization": f"Bearer {(self.server.data / 'admin.key').read_text().strip()}"}
        answer = await self._http.request(method, f"{self.server.url}/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def outlet(self, name: str, kind: str, settings: dict[str, Any], sending: dict[str, Any]) -> Inbox:
        """A new outlet and what its receiver gets."""
        body = {"name": name, "kind": kind, "settings": settings, "filter": WANTED, "sending": sending}
        await self.api("POST", f"/applications/{APPLICATION}/outlets", body)
        self.inboxes[name] = Inbox()
        return self.inboxes[name]

    async def webhook(self, name: str, url: str, sending: dict[str, Any] = QUICK, timeout_s: float = 1.0) -> Inbox:
        settings = {"url": url, "allow_private": True, "timeout_s": timeout_s}
        return await self.outlet(name, "webhook", settings, sending)

    async def consumers(self) -> dict[str, dict[str, Any]]:
        """By name; outlets without their number."""
        found = (await self.api("GET", "/exchange"))["consumers"]
        return {one["name"].partition("#")[0].rpartition("/")[2]: one for one in found}

    async def head(self) -> int:
        head: int = (await self.api("GET", "/exchange"))["head_seq"]
        return head

    async def grown(self, records: int) -> int:
        """Wait until the log has grown: the radio is heard and what it sends is kept. Returns the head."""
        start = await self.head()
        await until(lambda: self._at_least(start + records), f"{records} more records in the log")
        return await self.head()

    async def _at_least(self, seq: int) -> bool:
        return await self.head() >= seq

    async def passed(self, seq: int, but: Iterable[str] = (), seconds: float = 60.0) -> None:
        """Wait until all consumers but some have applied everything up to a seq, and their receivers have it."""
        left_out = set(but)
        behind: list[str] = []

        async def done() -> bool:
            consumers = await self.consumers()
            self.book().read()
            behind[:] = [n for n, one in consumers.items() if n not in left_out and one["position"] < seq]
            late = [n for n in self.inboxes if n not in left_out and not self.has_all(n, seq)]
            behind.extend(f"{n}, which has {self.inboxes[n].taken} messages" for n in late)
            return not behind

        await until(done, lambda: f"records up to {seq} at {behind}", seconds)

    def has_all(self, name: str, seq: int) -> bool:
        """Whether an outlet's receiver has got every message up to a seq; looks on from where it looked last."""
        told, got = self.book().told, self.inboxes[name].seqs
        place = self._looked.get(name, 0)
        while place < len(told) and told[place] in got:
            place += 1
        self._looked[name] = place
        return place == len(told) or told[place] > seq

    async def lags(self, name: str, seq: int) -> bool:
        """Whether a consumer has not applied everything up to a seq, or an outlet's receiver has not got it."""
        if name in self.inboxes:
            self.book().read()
            return not self.has_all(name, seq)
        return bool((await self.consumers())[name]["position"] < seq)

    async def check_equal(self, seq: int) -> None:
        """The log, every store and every receiver agree on all there is up to a seq."""
        records = self.book().upto(seq)
        for name, make in self.stores.items():
            store = make()
            await store.open()
            try:
                await check_store(name, store, records)
            finally:
                await store.close()
        for name, inbox in self.inboxes.items():
            check_inbox(name, inbox, records)

    async def outage(self, begin: Step, end: Step, *names: str, records: int = OUTAGE_RECORDS) -> None:
        """Break what `names` need under load: the radio and all others go on. Mend it: nothing is missing anywhere."""
        await self.passed(await self.head())
        await begin()
        await self.outlived(end, *names, records=records)

    async def outlived(self, end: Step, *names: str, records: int = OUTAGE_RECORDS) -> None:
        """The rest of an outage that has begun."""
        seq = await self.grown(records)
        await self.passed(seq, but=names)
        lagging = [name for name in names if await self.lags(name, seq)]
        assert lagging == list(names), f"{names} are broken and should lag: an outage was skipped or did not begin"
        await end()
        after = await self.grown(1)
        await self.passed(after)
        await self.check_equal(after)

    def book(self) -> Truth:
        """The server's log."""
        if self.truth is None:
            self.truth = Truth(self.server.data / "inflight.db")
        return self.truth


async def until(condition: Callable[[], Awaitable[bool]], what: str | Callable[[], str], seconds: float = 60.0) -> None:
    """Wait for a condition; AssertionError says for what."""
    give_up_at = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > give_up_at:
            raise AssertionError(f"after {seconds:g} s still no {what if isinstance(what, str) else what()}")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def planted(kind: type[P], folder: Path, more: str = "") -> AsyncIterator[P]:
    """A started server with the application of the fleet."""
    folder.mkdir(parents=True, exist_ok=True)
    async with ServerProcess(folder, more) as server:
        plant = kind(server)
        try:
            await plant.api("POST", "/applications", {"name": APPLICATION})
            yield plant
        finally:
            await plant.close()


def broker_settings(kind: str, port: int) -> dict[str, Any]:
    """Of an outlet whose broker is on a port of loopback."""
    if kind == "kafka":
        topics = {"*": TOPIC, "uplink": TOPIC, "measurements": TOPIC}
        return {"bootstrap_servers": f"127.0.0.1:{port}", "topics": topics, "partitions": 1, "delivery_timeout_s": 2}
    settings = {"host": "127.0.0.1", "port": port, "delivery_timeout_s": 2}
    return {**settings, "exchange": EXCHANGE} if kind == "amqp" else settings
