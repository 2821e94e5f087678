"""Names that are looked up while a name server does not answer."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lns.delivery.outcome import Outgoing
from lns.outlets.lookups import Found, Lookups, running
from lns.outlets.webhook import Webhook
from lns.outlets.webhook_settings import WebhookSettings


class Names:
    """A resolver that is silent about names with `dead` in them until `there` is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.there = threading.Event()

    def __call__(self, host: str, port: Any, *how: int) -> Found:
        self.asked.append(host)
        if "dead" in host and not self.there.wait(30):
            raise AssertionError("nobody has let it go")
        if "gone" in host:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"10.0.0.{len(self.asked)}", port))]


@pytest.fixture
def names() -> Iterator[Names]:
    found = Names()
    yield found
    found.there.set()


async def test_a_host_is_asked_for_once_at_a_time(names: Names) -> None:
    find = Lookups(names)
    async with asyncio.TaskGroup() as tasks:
        first, second, third = (tasks.create_task(find("dead.example", 80)) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()  # who gives up takes nothing from the others
        await asyncio.wait([first])
        names.there.set()
    assert (names.asked, second.result()) == (["dead.example"], third.result())
    assert (await find("dead.example", 80))[0][4] == ("10.0.0.2", 80), "what was found is not kept"


async def test_a_host_that_is_not_answered_for_holds_up_no_other(names: Names) -> None:
    find = Lookups(names)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(find(f"dead{n}.example", 80)) for n in range(50)]
        await asyncio.sleep(0)
        assert (await find("alive.example", 80))[0][4][1] == 80
        assert await asyncio.to_thread(lambda: "anything else") == "anything else"
        assert not any(one.done() for one in waiting)
        names.there.set()


async def test_there_are_no_more_threads_than_allowed(names: Names) -> None:
    find = Lookups(names, at_once=2)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for n in range(5):
            tasks.create_task(find(f"dead{n}.example", 80))
        while len(names.asked) < 2:
            await asyncio.sleep(0.001)
        assert sorted(names.asked) == ["dead0.example", "dead1.example"]
        names.there.set()
    assert len(names.asked) == 5


async def test_what_cannot_be_found_is_said_to_all(names: Names) -> None:
    find = Lookups(names)
    found = await asyncio.gather(*(find("gone.example", 80) for _ in range(2)), return_exceptions=True)
    assert [str(one) for one in found] == ["no such name"] * 2
    with pytest.raises(UnicodeError):
        await Lookups()("a" * 64 + ".example", 80)


async def test_an_address_needs_no_look_up(names: Names) -> None:
    for address in ("127.0.0.1", "::1", None):
        assert (await Lookups(names)(address, 80, type=socket.SOCK_STREAM))[0][4][1] == 80
    assert names.asked == []


async def test_each_loop_has_its_own() -> None:
    other = await asyncio.to_thread(lambda: asyncio.run(_running()))
    assert running() is running()
    assert other is not running()


async def _running() -> Lookups:
    return running()


async def test_webhooks_whose_names_are_not_answered_for_stop_nothing_else(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def find(host: Any, port: Any, *how: int) -> Any:
        return names(host, port, *how) if "dead" in str(host) else real(host, port, *how)

    monkeypatch.setattr(socket, "getaddrinfo", find)
    hooks = [Webhook(WebhookSettings(f"http://dead{n}.example/", timeout_s=0.2)) for n in range(20)]
    for hook in hooks:
        await hook.open()
    message = Outgoing("a", 1, "00" * 8, "uplink", b"{}")
    ends = await asyncio.gather(*(hook.deliver([message]) for hook in hooks))
    assert {end[0].error for end in ends} == {"no answer within 0.2 s"}
    assert len(names.asked) == 20
    async with asyncio.timeout(5):  # all are still being looked up
        assert await asyncio.to_thread(lambda: 1) == 1
        assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    for hook in hooks:
        await hook.close()
