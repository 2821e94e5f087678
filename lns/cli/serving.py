"""`lns serve` and `lns check`: the server itself, and what its configuration means on this machine."""

import socket
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from lns.cli.command import console, print_json
from lns.cli.outcome import CommandError, Exit
from lns.cli.settings import markdown, toml
from lns.cli.welcome import lines
from lns.config import Config, ConfigError, load
from lns.errors import StoreError
from lns.mac.settings import RegionSettings

File = Annotated[Path | None, typer.Option("--config", envvar="LNS_CONFIG", help="TOML file; without it, defaults.")]
Data = Annotated[Path | None, typer.Option(envvar="LNS_DATA", help="Data folder, in place of the file's data_dir.")]

_MARKS = {True: ("ok     ", "green"), False: ("problem", "red"), None: ("note   ", "yellow")}
"""How `lns check` begins the line of a finding."""


def serve(
    file: File = None,
    data: Data = None,
    demo: Annotated[bool, typer.Option("--demo", help="With a small simulated fleet on the real UDP port.")] = False,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; what was received is written before it ends."""
    from lns.server import Server, run  # the server's modules are only loaded where they are needed

    config = load_config(file, data)

    def ready(server: Server) -> None:
        typer.echo("\n".join(lines(config, server.udp_port, server.api_port, demo)))

    problems: list[str] = []
    try:
        run(config, demo, ready)
    except* (ConfigError, StoreError) as group:  # what a task group raises comes as a group
        problems += map(str, group.exceptions)
    if problems:
        raise CommandError(problems[0])


def check(
    file: File = None,
    data: Data = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print every setting: default, range, meaning.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Check the configuration: what would listen where, whether it can, and every setting as it would be used.

    Exit code 2 when the file is wrong, 1 when this machine does not allow what it says.
    """
    if explain:
        typer.echo(markdown(), nl=False)
        return
    config = load_config(file, data)
    findings = [*_ports(config), *_folders(config), *_timing(config), *_engines(config)]
    if as_json:
        settings = {**msgspec.to_builtins(config), "regions": msgspec.to_builtins(_regions(config))}
        print_json({"findings": findings, "settings": settings})
    else:
        for finding in findings:
            console().print(Text.assemble(_MARKS[finding["ok"]], f" {finding['text']}"), soft_wrap=True)
        typer.echo(f"\n{_as_toml(config)}")
    if any(finding["ok"] is False for finding in findings):
        raise typer.Exit(Exit.REFUSED)


def load_config(file: Path | None, data: Path | None) -> Config:
    """The configuration of a file, or the defaults, with the data folder of the command line."""
    try:
        return load(file, {"data_dir": str(data)} if data else None)
    except ConfigError as error:
        text = str(error)
        raise CommandError(text if file is None or str(file) in text else f"{file}: {text}", Exit.USAGE) from None


def _finding(ok: bool | None, text: str) -> dict[str, Any]:
    return {"ok": ok, "text": text}


def _ports(config: Config) -> list[dict[str, Any]]:
    return [
        _port("gateways, Semtech UDP", socket.SOCK_DGRAM, config.udp.host, config.udp.port),
        _port("REST API, metrics and health", socket.SOCK_STREAM, config.api.host, config.api.port),
    ]


def _port(what: str, kind: socket.SocketKind, host: str, port: int) -> dict[str, Any]:
    protocol = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    where = f"{protocol} {host}:{port or 'a free port'}"
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=kind)[0]
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return _finding(False, f"{what}: cannot listen on {where}: {(error.strerror or str(error)).lower()}")
    return _finding(True, f"{what}: would listen on {where}")


def _folders(config: Config) -> list[dict[str, Any]]:
    found = [_folder("data", Path(config.data_dir))]
    if config.archive.enabled and config.archive.folder and not config.archive.bucket:
        found.append(_folder("archive", Path(config.archive.folder)))
    return found


def _folder(what: str, folder: Path) -> dict[str, Any]:
    nearest = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    try:
        with TemporaryFile(dir=nearest) as probe:
            probe.write(b"probe")
    except OSError:
        return _finding(False, f"{what} folder {folder}: {nearest} is not a folder that can be written to")
    made = "writable" if nearest == folder.absolute() else "would be made"
    return _finding(True, f"{what} folder {folder}: {made}")


def _engines(config: Config) -> list[dict[str, Any]]:
    """What the stores, the archive, the latest values and Kafka are set to and can never work."""
    from lns.assembly.faults import faults  # with all engines, which other commands need not load

    return [_finding(False, text) for text in faults(config)]


def _timing(config: Config) -> list[dict[str, Any]]:
    """A note where an answer could not make its first window."""
    needed = config.network.dedup_window_ms + config.network.downlink_margin_ms
    window = config.region_settings(config.network.region).rx1_delay_s * 1000
    if needed < window:
        return []
    text = (
        f"answers always use RX2: dedup_window_ms and downlink_margin_ms take {needed} ms, RX1 opens after {window} ms"
    )
    return [_finding(None, text)]


def _as_toml(config: Config) -> str:
    top, sections = [], []
    for name in config.__struct_fields__:
        value = getattr(config, name)
        if name == "regions":
            sections += [_section(f"regions.{region}", used) for region, used in _regions(config).items()]
        elif isinstance(value, msgspec.Struct):
            sections.append(_section(name, value))
        else:
            top.append(f"{name} = {toml(value)}")
    return "\n\n".join(["\n".join(top), *sections])


def _regions(config: Config) -> dict[str, RegionSettings]:
    """The settings of the regions that are named, as they are used."""
    return {name: config.region_settings(name) for name in sorted({config.network.region, *config.regions})}


def _section(name: str, values: msgspec.Struct) -> str:
    given = ((key, getattr(values, key)) for key in values.__struct_fields__)
    return "\n".join([f"[{name}]", *(f"{key} = {toml(value)}" for key, value in given if value is not None)])
