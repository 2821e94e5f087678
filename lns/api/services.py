"""What the API is given to work with. The composition root builds it; routes get it from `services`."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, Request

from decoders.pool import Pool
from lns.api.trials import Trials
from lns.assembly.archiving import Archiving
from lns.assembly.commands import Commands
from lns.assembly.latest import LatestValues
from lns.assembly.outlets import Outlets
from lns.assembly.stores import Stores
from lns.config import Config
from lns.decoding.codecs import Codecs
from lns.decoding.consumer import Decoding
from lns.decoding.replay import Replays
from lns.exchange.sqlite import SqliteExchange
from lns.gateways.links import Links
from lns.live import Live
from lns.network import Network
from lns.registry.registry import Registry
from lns.series.store import SeriesStore


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The parts behind the routes. `started_at` is seconds since the epoch, `udp_port` the port really bound.

    `health` and `ready` give None, or a sentence on what is wrong; they are asked on the event loop.
    """

    config: Config
    registry: Registry
    network: Network
    links: Links
    series: SeriesStore | None
    stores: Stores
    outlets: Outlets
    commands: Commands
    latest: LatestValues
    exchange: SqliteExchange
    decoding: Decoding
    codecs: Codecs
    archiving: Archiving
    replays: Replays
    trials: Trials
    decoder_pool: Pool
    live: Live
    started_at: float
    udp_port: int
    health: Callable[[], str | None]
    ready: Callable[[], str | None]


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Given = Annotated[Services, Depends(_services)]
"""A route's parameter that receives the services."""
