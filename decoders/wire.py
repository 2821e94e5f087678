"""The frames between the pool and a worker: four octets of length, little endian, and a MessagePack array."""

import struct
from typing import Literal

import msgspec

from decoders.contract import CheckReport, Request, Result

LENGTH = struct.Struct("<I")

Work = Literal["uplink", "encode", "downlink", "check"]
"""What is done with the requests: decode uplinks, encode or decode downlinks. A request to encode has the JSON text of
the data as its payload. A check has a source only."""


class Setup(msgspec.Struct, frozen=True, array_like=True):
    """The first frame to a worker."""

    timeout_ms: int
    memory_mb: int
    jitless: bool


class Job(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Requests of one codec version, or a script to check.

    `source` is None where the worker has it; `drop` are keys it may forget. `convention` None: as recognised.
    """

    number: int
    work: Work
    key: str
    convention: str | None
    source: str | None
    drop: list[str]
    requests: list[Request]
    measure: bool = False


class Order(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A Job as the worker reads it: the requests stay as they came, for the script's side reads them itself."""

    number: int
    work: Work
    key: str
    convention: str | None
    source: str | None
    drop: list[str]
    requests: msgspec.Raw
    measure: bool


class Reply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The answer to a job. Without results and report the uplinks have to be tried one by one."""

    number: int
    results: list[Result] | None = None
    report: CheckReport | None = None


READY = Reply(0)
"""A worker's first frame: its engine runs and its limits are set."""


def batch_cpu_s(timeout_ms: int, uplinks: int) -> float:
    """CPU seconds a batch may take before its uplinks are tried one by one; one uplink alone has `timeout_ms`.

    A batch has less per uplink, so that a script that never ends is noticed soon; an honest slow script passes singly.
    """
    return timeout_ms / 1000 * (1 + (uplinks - 1) / 100)


def wall_s(cpu_s: float) -> float:
    """Seconds after which work counts as stuck although it used less CPU, as on a machine that is overloaded."""
    return 5 * cpu_s


def read_cpu_s(source: str) -> float:
    """CPU seconds that a script may take to be read before it is loaded; it takes half of that."""
    return 1e-5 * len(source)


LOAD_CPU_S = 0.5
"""CPU seconds a script's top level may take; a bundle of 370 kB takes 0.1."""

IDLE_CPU_S = 0.1
"""CPU seconds a script may still use after it has returned."""


def frame(message: msgspec.Struct) -> bytes:
    """One message as it goes through the pipe."""
    body = _encode(message)
    return LENGTH.pack(len(body)) + body


_encode = msgspec.msgpack.Encoder().encode
decode_setup = msgspec.msgpack.Decoder(Setup).decode
decode_order = msgspec.msgpack.Decoder(Order).decode
decode_requests = msgspec.msgpack.Decoder(list[Request]).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode
