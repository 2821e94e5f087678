"""The composition root: builds every object, runs them in one TaskGroup, drains on SIGTERM."""

import asyncio
import contextlib
import logging
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvloop

from decoders.pool import Pool
from lns import metrics
from lns.api.app import create_app
from lns.api.serve import serve
from lns.api.services import Services
from lns.config import Config
from lns.decoding.codecs import Codecs
from lns.decoding.consumer import Decoding
from lns.decoding.failures import Failures
from lns.errors import StoreError
from lns.exchange.consumer import Consumer
from lns.exchange.loop import run_consumer
from lns.exchange.sqlite import SqliteExchange
from lns.gateways.links import Links
from lns.gateways.semtech_udp import SemtechUdp
from lns.live import Live
from lns.network import Network
from lns.registry.registry import Registry
from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries

_logger = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""Hand-over of the interpreter lock: a store's thread must not wait 5 ms for every statement while the loop is busy."""
LINGER_S = 0.005
"""How long a small batch of a consumer waits for company."""
CATCH_UP_S = 10.0
"""How long a stop waits for consumers; what they have not read by then they read at the next start."""
