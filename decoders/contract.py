"""What goes into the decoders and what comes out. Shared by the server's side (pool) and the worker's side."""

import msgspec

BUILTIN_CAYENNE_LPP = "builtin:cayenne-lpp"
"""Key of the codec that needs no script; its source is the empty text."""

MAX_SOURCE_BYTES = 512 * 1024  # a published bundle reaches 321 kB
MAX_STATE_LENGTH = 4096  # characters of JSON a device's state may have

Value = float | bool | str
Sample = tuple[str, Value, str | None, int | None]
"""(field, value, unit, time in UTC microseconds or None for the uplink's own)."""


class Gateway(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A gateway that heard the uplink, and where it stands in degrees and metres."""

    eui: str
    rssi_dbm: float | None = None
    snr_db: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None


class Context(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a script may know of an uplink beyond the portable input. `previous` is the JSON text of the values decoded
    last, empty where there are none yet, None where the script is not to have them."""

    name: str = ""
    tags: dict[str, str] = {}
    dr: int | None = None
    data_rate: str = ""  # such as SF7BW125
    freq_hz: int | None = None
    gateways: tuple[Gateway, ...] = ()
    previous: str | None = None
    join_eui: str = ""
    application: str = ""
    adr: bool = False


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One uplink to decode. `recv_time_us`, UTC, is the script's clock; `dev_eui` and `fcnt` seed its randomness.

    `state` is what `Result.state` was for the device's last uplink, empty before the first; None: it keeps none.
    """

    payload: bytes
    fport: int
    recv_time_us: int
    dev_eui: str
    fcnt: int
    variables: dict[str, str] = {}
    context: Context | None = None
    state: str | None = None


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

    `logs` are the script's console lines; `duration_us` is the batch's time divided by its uplinks. `state` is to be
    kept for the device's next uplink, None where nothing changed. `memory_bytes` is the V8 heap of the codec's realm
    after a request that was alone in its batch, else 0. `normalized_json` is what `normalizeUplink` made of the data.
    """

    data_json: bytes = b""
    samples: list[Sample] = []
    warnings: list[str] = []
    error: Error | None = None
    logs: list[str] = []
    duration_us: int = 0
    state: str | None = None
    memory_bytes: int = 0
    normalized_json: bytes = b""


class Downlink(msgspec.Struct, frozen=True):
    """An object to encode. `fport` is what `encodeDownlink` may override; `now_us` is the script's clock."""

    data_json: bytes
    fport: int
    now_us: int
    dev_eui: str
    fcnt: int
    variables: dict[str, str] = {}


class Encoded(msgspec.Struct, frozen=True):
    """The octets a script made of an object. `fport` is the script's, or the one that was asked for."""

    payload: bytes = b""
    fport: int = 0
    warnings: list[str] = []
    error: Error | None = None
    logs: list[str] = []
    duration_us: int = 0


class CheckReport(msgspec.Struct, frozen=True, array_like=True):
    """What a script turned out to be: its convention, its known functions, or the problem with it.

    `fresh` tells that the script changes top-level variables, so that it is evaluated anew for every uplink. `wants`
    are the keys of the context that its text mentions; `keeps_state` that it asks for a state of each device.
    """

    convention: str | None = None
    functions: tuple[str, ...] = ()
    fresh: bool = False
    problem: Error | None = None
    wants: tuple[str, ...] = ()
    keeps_state: bool = False


class DecoderError(RuntimeError):
    """The decoder workers cannot be used at all, whatever the script."""
