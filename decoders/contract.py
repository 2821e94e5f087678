"""What goes into the decoders and what comes out. Shared by the server's side (pool) and the worker's side."""

import msgspec

BUILTIN_CAYENNE_LPP = "builtin:cayenne-lpp"
"""Key of the codec that needs no script; its source is the empty text."""

MAX_SOURCE_BYTES = 512 * 1024  # a published bundle reaches 321 kB

Value = float | bool | str
Sample = tuple[str, Value, str | None, int | None]
"""(field, value, unit, time in UTC microseconds or None for the uplink's own)."""


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One uplink to decode. `recv_time_us`, UTC, is the script's clock; `dev_eui` and `fcnt` seed its randomness."""

    payload: bytes
    fport: int
    recv_time_us: int
    dev_eui: str
    fcnt: int
    variables: dict[str, str] = {}


class Error(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why there are no samples. Line and column count from 1 in the author's file.

    Reasons: syntax (the file cannot be used as a decoder), exception (the script threw), script_error (the decoder
    returned `errors`), timeout, memory, too_large, parked (the version killed workers and is not run any more),
    worker_died, bad_result (what was returned is not data).
    """

    reason: str
    message: str
    line: int | None = None
    column: int | None = None

    def text(self) -> str:
        """The error as one line for people."""
        where = "" if self.line is None else f" at line {self.line}, column {self.column}"
        return f"{self.reason}: {self.message}{where}"


class Result(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of one request. `data_json` is the decoded object as JSON text, empty where there is none.

    `logs` are the script's console lines; `duration_us` is the batch's time divided by its uplinks.
    """

    data_json: bytes = b""
    samples: list[Sample] = []
    warnings: list[str] = []
    error: Error | None = None
    logs: list[str] = []
    duration_us: int = 0


class CheckReport(msgspec.Struct, frozen=True, array_like=True):
    """What a script turned out to be: ts013, chirpstack3 or ttn2, its known functions, or the problem with it.

    `fresh` tells that the script changes top-level variables, so that it is evaluated anew for every uplink.
    """

    convention: str | None = None
    functions: tuple[str, ...] = ()
    fresh: bool = False
    problem: Error | None = None


class DecoderError(RuntimeError):
    """The decoder workers cannot be used at all, whatever the script."""
