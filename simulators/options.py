"""The settings of a fleet, as a value and as command line options."""

import argparse
from pathlib import Path

import msgspec

from lns.lorawan.regions import REGIONS
from simulators.ledger import MAX_GATEWAYS
from simulators.misbehaviour import WORDS, parse_misbehaviour
from simulators.versions import VERSIONS


class FleetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Shares are from 0 to 1, times in seconds."""

    host: str = "127.0.0.1"
    port: int = 1700
    gateways: int = 3
    devices: int = 200
    uplinks: int = 20_000  # 0: until the duration is over, or for ever
    rate: float = 2000.0  # uplinks per second; 0: as fast as the server acknowledges
    duration_s: float = 0.0  # 0: until all uplinks are sent
    seed: int = 1
    region: str = "EU868"
    sub_band: int = 2
    activation: str = "otaa"
    lorawan: str = "1.0.3"
    net_id: str = "000000"
    devices_per_address: int = 1
    confirmed_share: float = 0.0
    ask_share: float = 0.0  # uplinks with a LinkCheckReq and a DeviceTimeReq
    adr: bool = False
    device_class: str = "A"
    ping_periodicity: int = 4  # of class B: a ping slot every 2**n s
    misbehave: tuple[str, ...] = ()
    misbehaving: float = 1.0  # share of devices that do
    retries: int = 2  # of a confirmed uplink that gets no answer
    loss: float = 0.0
    duplicates: float = 0.0
    late: float = 0.0
    jitter_s: float = 0.002
    reject: float = 0.0
    transmitters: int = 1
    window: int = 256  # datagrams that may wait for their PUSH_ACK
    ack_timeout_s: float = 2.0
    connect_timeout_s: float = 10.0  # for the first PULL_ACK
    keep_alive_s: float = 5.0
    stat_s: float = 30.0
    rxpk_per_datagram: int = 1
    join_rate: float = 10.0  # join-requests per second
    join_attempts: int = 6
    first_dev_nonce: int = 0  # of a device that counts them
    prepare: bool = False
    api: str = "http://127.0.0.1:8080"
    key: str | None = None
    data_dir: Path = Path("data")
    provision: bool = True
    codec: Path = Path("codecs/inflight/demo-sensor/codec.js")
    ledger: Path | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `fleet`; their defaults are those of FleetOptions."""
    add = _Adder(parser)
    parser.add_argument("--server", default="127.0.0.1:1700", metavar="HOST:PORT", help="UDP address of the server")
    add.number("gateways", int, f"gateways, 1 to {MAX_GATEWAYS}; every one hears every device")
    add.number("devices", int, "devices")
    add.number("uplinks", int, "uplinks to send; 0: until --duration is over, or for ever")
    add.number("rate", float, "uplinks per second; 0: as fast as the server acknowledges")
    add.number("duration_s", float, "stop after so many seconds; 0: when all uplinks are sent")
    add.number("seed", int, "decides identities, keys, positions, payloads and chance")
    parser.add_argument("--region", default="EU868", choices=tuple(REGIONS), help="channel plan")
    add.number("sub_band", int, "sub-band of a fixed channel plan, 0 for all channels")
    parser.add_argument("--activation", default="otaa", choices=("otaa", "abp"), help="how devices get their sessions")
    parser.add_argument(
        "--lorawan", default="1.0.3", choices=tuple(VERSIONS), help="version; from 1.0.4 on a DevNonce is counted"
    )
    parser.add_argument("--net-id", default="000000", help="NetID that the DevAddrs of ABP devices are taken from")
    add.number("devices_per_address", int, "ABP devices that share a DevAddr")
    add.number("confirmed_share", float, "share of uplinks that are confirmed")
    add.number("ask_share", float, "share of uplinks that ask for LinkCheckAns and DeviceTimeAns")
    parser.add_argument("--adr", action="store_true", help="set the ADR bit, and ADRACKReq after 64 uplinks")
    parser.add_argument(
        "--class", dest="device_class", default="A", choices=("A", "B", "C"), help="class; B hears every beacon"
    )
    add.number("ping_periodicity", int, "class B: a ping slot every 2**N s, N from 0 to 7")
    parser.add_argument(
        "--misbehave",
        action="append",
        default=[],
        metavar="HOW",
        help=f"what devices do wrong, any number of times: {', '.join(WORDS)}",
    )
    add.number("misbehaving", float, "share of devices that misbehave so")
    add.number("retries", int, "repetitions of a confirmed uplink that gets no answer")
    add.number("loss", float, "share of copies, and of downlinks, lost on the air")
    add.number("duplicates", float, "share of copies that reach the server twice")
    add.number("late", float, "share of copies, never a frame's first, that come 0.3 to 0.8 s late")
    add.number("jitter_s", float, "longest delay of a copy on its way, and of a TX_ACK")
    add.number("reject", float, "share of downlinks that gateways refuse with COLLISION_PACKET")
    add.number("transmitters", int, "downlinks a gateway can send at a time; 0: any number, which no real one can")
    add.number("window", int, "datagrams that may wait for their PUSH_ACK at a time")
    add.number("ack_timeout_s", float, "then a datagram no longer counts as waiting")
    add.number("connect_timeout_s", float, "how long to wait for the first PULL_ACK")
    add.number("keep_alive_s", float, "time between two PULL_DATA")
    add.number("stat_s", float, "time between two stat reports")
    add.number("rxpk_per_datagram", int, "copies collected into one PUSH_DATA")
    add.number("join_rate", float, "join-requests per second; a gateway can send about ten join-accepts in one")
    add.number("join_attempts", int, "join-requests of a device before it gives up")
    add.number("first_dev_nonce", int, "where the DevNonce of 1.0.4 and 1.1 devices starts")
    parser.add_argument(
        "--prepare",
        action="store_true",
        help="make all frames before the clock starts; devices then answer no MAC command and no confirmed downlink",
    )
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="write what was sent and answered as JSON lines")
    parser.add_argument(
        "--no-provision", dest="provision", action="store_false", help="devices and gateways are registered already"
    )
    parser.add_argument("--codec", type=Path, default=FleetOptions().codec, help="codec to upload for the devices")


def add_api_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say where the server's API is."""
    parser.add_argument("--api", default="http://127.0.0.1:8080", metavar="URL", help="REST API of the server")
    parser.add_argument("--key", help="API key; else LNS_API_KEY, or admin.key in --data-dir")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="data folder of a server on this machine")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def fleet_options(arguments: argparse.Namespace) -> FleetOptions:
    """ValueError names the option, the value and the limit."""
    values = {name: value for name, value in vars(arguments).items() if name in FleetOptions.__struct_fields__}
    host, colon, port = arguments.server.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(f"--server is {arguments.server!r}, HOST:PORT is needed")
    values["misbehave"] = tuple(arguments.misbehave)
    options = FleetOptions(host=host.strip("[]"), port=int(port), **values)
    parse_misbehaviour(options.misbehave)
    _check_range("gateways", options.gateways, 1, MAX_GATEWAYS)
    _check_range("devices", options.devices, 1, 1 << 17)
    for name in ("confirmed_share", "ask_share", "loss", "duplicates", "late", "reject", "misbehaving"):
        _check_range(name, getattr(options, name), 0, 1)
    for name in ("window", "rxpk_per_datagram", "devices_per_address", "join_attempts"):
        _check_range(name, getattr(options, name), 1, 1 << 15)
    for name in ("uplinks", "rate", "duration_s", "jitter_s", "retries", "seed", "transmitters"):
        _check_range(name, getattr(options, name), 0, float("inf"))
    _check_range("sub_band", options.sub_band, 0, 12)
    _check_range("ping_periodicity", options.ping_periodicity, 0, 7)
    if options.prepare and not options.uplinks:
        raise ValueError("--prepare needs --uplinks: frames cannot be prepared for ever")
    return options


def _check_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"--{_option(name)} is {value}, {least} to {most} is possible")


def _option(name: str) -> str:
    return name.removesuffix("_s").replace("_", "-")


class _Adder:
    """Adds options for numeric fields of FleetOptions; the unit in a field's name is not typed."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._defaults = FleetOptions()

    def number(self, name: str, kind: type[int] | type[float], text: str) -> None:
        default = getattr(self._defaults, name)
        metavar = "S" if name.endswith("_s") else "N"
        self._parser.add_argument(
            f"--{_option(name)}", dest=name, type=kind, default=default, metavar=metavar, help=f"{text} ({default})"
        )
