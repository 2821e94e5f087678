"""What `lns serve` says once it listens: where to point a gateway, where the API is, how to watch."""

import os
import shutil
import socket
import sys

from lns import __version__
from lns.cli.connection import DEFAULT_URL
from lns.config import Config


def lines(config: Config, udp_port: int, api_port: int, demo: bool) -> list[str]:
    """The welcome; the ports are those really bound."""
    host = config.api.host
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{api_port}"
    program = "lns" if shutil.which("lns") == sys.argv[0] else os.path.relpath(sys.argv[0])
    options = "" if url == DEFAULT_URL else f" --url {url}"
    options += "" if config.data_dir == "data" else f" --data {config.data_dir}"
    shown = [
        f"Inflight {__version__} serves {config.network.region} from the folder {config.data_dir}",
        f"  gateways  Semtech UDP: server address {_address(config.udp.host)}, port up and down {udp_port}",
        f"  API       {url}/api/v1, documentation {url}/docs",
        f"  watch     {program} watch{options}",
    ]
    if demo:
        shown.append("  demo      a small simulated fleet sends to that UDP port")
    return [*shown, "  stop      Ctrl-C"]


def _address(host: str) -> str:
    """The address other machines reach this one by, as far as it can be told."""
    if host not in ("0.0.0.0", "::"):
        return host
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses a route
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
