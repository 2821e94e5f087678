"""What the API is given to work with. The composition root builds it; routes get it from `services`."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import Depends, Request

from decoders.contract import CheckReport, Result
from decoders.contract import Request as DecodeRequest
from lns.config import Config
from lns.live import Live
from lns.mac.queue import DownlinkItem
from lns.registry.registry import Registry
from lns.series.store import SeriesStore


class Network(Protocol):
    """What routes need of the network."""

    async def reload_devices(self, dev_euis: Sequence[str]) -> None:
        """The registry has created, changed or deleted these devices."""

    async def enqueue(
        self, dev_eui: str, fport: int, payload: bytes, confirmed: bool, expires_at_us: int | None = None
    ) -> DownlinkItem:
        """Queue a downlink durably; KeyError: no such device, ValueError: it can never be sent."""

    def downlinks(self, dev_eui: str) -> list[DownlinkItem]:
        """What waits for the device."""

    async def delete_downlink(self, dev_eui: str, item_id: str) -> bool:
        """Take one item out of the queue; False when it does not wait."""

    async def flush_downlinks(self, dev_eui: str) -> int:
        """Empty the queue; returns how many items there were."""


class Exchange(Protocol):
    """What routes need of the log."""

    last_error: str | None

    async def status(self) -> dict[str, Any]:
        """Head, extent and every consumer's lag."""


class Decoding(Protocol):
    """What routes need of the decoder consumer."""

    async def retry(self, uplink_seqs: Sequence[int]) -> dict[str, int]:
        """Decode stored uplinks again; returns counts `retried` and `failed`."""

    async def reload_codecs(self) -> None:
        """Codecs, templates or assignments have changed in the registry."""


class DecoderPool(Protocol):
    """What routes need of the decoder workers."""

    async def decode(self, key: str, source: str, requests: Sequence[DecodeRequest]) -> list[Result]:
        """Run a codec."""

    async def check(self, source: str) -> CheckReport:
        """Which convention a source follows, or why it cannot be used."""


def _fine() -> str | None:
    return None


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The parts behind the routes. `started_at` is seconds since the epoch, `udp_port` the port really bound.

    `health` and `ready` give None, or a sentence on what is wrong; they are asked on the event loop.
    """

    config: Config
    registry: Registry
    network: Network
    links: Any
    series: SeriesStore | None
    exchange: Exchange
    decoding: Decoding
    decoder_pool: DecoderPool
    live: Live
    started_at: float
    udp_port: int
    health: Callable[[], str | None] = _fine
    ready: Callable[[], str | None] = _fine


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Given = Annotated[Services, Depends(_services)]
"""A route's parameter that receives the services."""
