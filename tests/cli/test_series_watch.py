"""`lns series` and `lns watch` against a real server."""

import json
import os
import subprocess
import sys

from tests.cli.server import DEV_EUI, ROOT, frame, table, until
from tests.cli.tank import device, values

__all__ = ["device"]


def test_an_uplink_becomes_measurements_that_series_shows(on, gateway, device):
    for fcnt, level in enumerate((42, 77, 120)):
        gateway.uplink(frame(fcnt, bytes([level])))
    assert until(lambda: len(values(on, "level")) == 3)
    assert values(on, "level") == [42, 77, 120]
    assert values(on, "open") == [False, False, True]
    overview = {row[0]: row for row in table(on("series", "tank", "--since", "1h"))}
    assert overview["level"][1] == "120"
    newest = {row[0]: row[1] for row in table(on("latest", "tank"))[1:]}
    assert (newest["level"], newest["open"], newest["link.dr"], overview["link.dr"][1]) == ("120", "true", "5", "5")
    assert overview["level"][-4:-1] == ["3", "42", "120"]
    assert overview["link.rssi"][1:3] == ["-87", "dBm"]
    assert [row[-1] for row in table(on("series", "tank", "level"))] == ["level", "value", "42", "77", "120"]
    bucket = on("series", "tank", "level", "--bucket", "1h", "--json").json["fields"][0]["items"]
    assert sum(item["count"] for item in bucket) == 3
    plot = on("series", "tank", "--since", "1h", "--plot").out.splitlines()
    assert plot[0] == "level"
    assert plot[1].startswith("120 ┤")
    assert (plot[13], plot[14][:5]) == ("open", "  1 ┤")
    assert on("device", "session", "tank", "--json").json["fcnt_up"] == 2


def test_series_says_what_it_does_not_have(on, gateway, device):
    gateway.uplink(frame(0, b"\x01"))
    assert until(lambda: values(on, "level"))
    ran = on("series", "tank", "pressure")
    assert ran.code == 5
    assert ran.err.startswith("lns: tank has no field 'pressure'; it has level, link.dr")
    assert on("series", "nobody").code == 5
    wrong = on("series", "tank", "--since", "yesterday")
    assert wrong.code == 2
    assert on("series", "tank", "--bucket", "0x").code == 2


def test_watch_json_prints_a_line_an_event(on, server, gateway, device):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lns", "watch", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        until(lambda: "established" in connections(watching.pid, server))
        gateway.uplink(frame(7, b"\x2a"))
        gateway.uplink(frame(8, b"\x2a", dev_addr="01020304"))
        events = {}
        while not {"uplink", "decoded", "refusal"} <= events.keys():
            event = json.loads(watching.stdout.readline())
            events[event["kind"]] = event
        watching.terminate()
    assert (events["uplink"]["dev_eui"], events["uplink"]["fcnt"]) == (DEV_EUI, 7)
    assert events["decoded"]["fields"] == {"level": 42, "open": False}
    assert events["refusal"]["reason"] == "unknown_dev_addr"


def connections(pid, server):
    """ "established" once the process has a connection to the API (state 01 in the kernel's table)."""
    port = f":{int(server.url.rpartition(':')[2]):04X}"
    with open(f"/proc/{pid}/net/tcp") as file:
        rows = [line.split() for line in file]
    inodes = {row[9] for row in rows if row[2].endswith(port) and row[3] == "01"}
    try:
        links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    except OSError:
        return ""
    return "established" if links & {f"socket:[{inode}]" for inode in inodes} else ""


def test_watch_without_a_terminal_wants_json(on):
    ran = on("watch")
    assert ran.code == 2
    assert ran.err == "lns: standard output is not a terminal: use --json for one line an event\n"
