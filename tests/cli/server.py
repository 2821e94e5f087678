"""A real `lns serve` process, and a gateway with an ABP device that talk to it, for the command line's tests."""

import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from lns.gateways.semtech import build_pull_data, build_push_data
from lns.lorawan.crypto import UP, DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import MType, build_data

ROOT = Path(__file__).parents[2]
GATEWAY = "a84041ffff1e8f2c"
DEV_EUI, DEV_ADDR = "a84041000181c061", "260b1f22"
NWK_S_KEY, APP_S_KEY = "44024241ed4ce9a68c6a8bc055233fd3", "ec925802ae430ca77fd3dd73cb2cc588"
ABP = ("--dev-addr", DEV_ADDR, "--nwk-s-key", NWK_S_KEY, "--app-s-key", APP_S_KEY)
OTAA = ("--join-eui", "70b3d57ed0000000", "--app-key", "2b7e151628aed2a6abf7158809cf4f3c")
CONFIG = "[udp]\nhost = '127.0.0.1'\nport = 0\n[api]\nport = 0\n"


def until(condition, seconds=15.0):
    """The first true value of `condition()`; fails after `seconds`."""
    give_up_at = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < give_up_at, f"still not true after {seconds} s"
        threading.Event().wait(0.02)
    return value


def table(ran):
    """The cells of each row, the heading first."""
    lines = [line for line in ran.out.splitlines() if line.strip() and "─" not in line]
    return [line.split() for line in lines]


class Server:
    """Started in an empty folder on free ports, which are read from its welcome."""

    def __init__(self, folder, *options):
        self.folder, self._options = folder, options
        (folder / "inflight.toml").write_text(CONFIG)
        self._start()

    def _start(self):
        command = [sys.executable, "-m", "lns", "serve", "--config", "inflight.toml", *self._options]
        self._errors = (self.folder / "server.err").open("w")
        self.process = subprocess.Popen(
            command, cwd=self.folder, env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdout=subprocess.PIPE, stderr=self._errors, text=True,
        )  # fmt: skip
        self.welcome = []
        while not self.welcome or "stop" not in self.welcome[-1]:
            line = self.process.stdout.readline()
            assert line, (self.folder / "server.err").read_text()
            self.welcome.append(line.rstrip("\n"))
        told = "\n".join(self.welcome)
        self.udp_port = int(re.search(r"port up and down (\d+)", told)[1])
        self.url = re.search(r"(http://127\.0\.0\.1:\d+)/docs", told)[1]

    def restart(self):
        """Stop and start on the same ports."""
        api_port = self.url.rpartition(":")[2]
        assert self.stop() == 0
        ports = f"[udp]\nhost = '127.0.0.1'\nport = {self.udp_port}\n[api]\nport = {api_port}\n"
        (self.folder / "inflight.toml").write_text(ports)
        self._start()

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        code = self.process.wait(20)
        self.process.stdout.close()
        self._errors.close()
        return code


class Gateway:
    """A gateway's socket."""

    def __init__(self, server, eui=GATEWAY):
        self.eui = eui
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.settimeout(10)
        self._socket.connect(("127.0.0.1", server.udp_port))
        self.exchange(build_pull_data(b"\x00\x01", eui))

    def close(self):
        self._socket.close()

    def exchange(self, datagram):
        """Send and wait for the acknowledgement."""
        self._socket.send(datagram)
        return self._socket.recv(2048)

    def uplink(self, phy_payload):
        rxpk = {
            "tmst": 1_000_000, "freq": 868.1, "chan": 0, "rfch": 0, "stat": 1, "modu": "LORA", "datr": "SF7BW125",
            "codr": "4/5", "rssi": -87, "lsnr": 7.5, "size": len(phy_payload), "data": phy_payload,
        }  # fmt: skip
        self.exchange(build_push_data(b"\x00\x02", self.eui, [rxpk]))


def frame(fcnt, payload, dev_addr=DEV_ADDR, fport=2):
    """An unconfirmed uplink of the ABP device, encrypted and signed."""
    address = dev_addr_le(dev_addr)
    secret = PayloadCipher(bytes.fromhex(APP_S_KEY)).apply(payload, address, fcnt, UP)
    message = build_data(MType.UNCONFIRMED_UP, dev_addr, 0, fcnt, b"", fport, secret)
    return message + DataMic(bytes.fromhex(NWK_S_KEY)).mic(message, address, fcnt, UP)
