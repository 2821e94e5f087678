"""The radio link of a device, drawn into text of a given width."""

from datetime import UTC, datetime

from rich.console import Console

from lns.cli.link_picture import link_picture

NOW = datetime(2026, 11, 21, 10, 52, tzinfo=UTC)
ROOF, HALL = "a84041ffff1e8f2c", "a84041ffff1e8f2d"


def heard(fcnt, dr, *gateways):
    copies = [{"gateway_eui": eui, "snr_db": 1.0} for eui in gateways]
    return {
        "fcnt": fcnt, "at": "2026-11-21T10:51:02.000Z", "dr": dr, "data_rate": f"SF{12 - dr}BW125", "tx_power": 0,
        "gateways": copies,
    }  # fmt: skip


LINK = {
    "received": 1040, "lost": 12, "packet_error_rate": 12 / 1052, "recent_packet_error_rate": 0.25,
    "uplinks": [heard(1, 0, ROOF), heard(2, 5, ROOF, HALL), heard(4, 5, ROOF, HALL)],
    "gateways": [
        {"gateway_eui": ROOF, "uplinks": 3, "margin_db_mean": 12.0, "margin_db_min": 4.0},
        {"gateway_eui": HALL, "uplinks": 2, "margin_db_mean": -1.5, "margin_db_min": -2.0},
    ],
    "battery": {"source": "battery", "percent": 78}, "margin_db": 12, "status_at": "2026-11-21T08:52:00.000Z",
    "device_class": "C",
}  # fmt: skip
NOTHING = {
    "received": 0, "lost": 0, "packet_error_rate": None, "recent_packet_error_rate": None, "uplinks": [],
    "gateways": [], "battery": None, "margin_db": None, "status_at": None, "device_class": "A",
}  # fmt: skip


def drawn(link, width=100):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(link_picture(link, NOW))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_losses_rates_battery_and_a_bar_for_each_gateway_are_drawn():
    assert drawn(LINK) == [
        "heard      58 s ago, SF7BW125",
        "lost       12 of 1052 (1.1 %), of the last 3 25.0 %",
        "data rate  ▁██  0 to 5",
        "gateways   ▁██  1 to 2",
        "class      C",
        "battery    78 %, downlink margin 12 dB, 2 h ago",
        "a84041ffff1e8f2c  ████████████············  12.0 dB margin, least 4.0   3 of 3",
        "a84041ffff1e8f2d  ························  -1.5 dB margin, least -2.0  2 of 3",
    ]


def test_device_that_was_not_heard_says_so():
    assert drawn(NOTHING) == ["heard  not since the server's start", "class  A"]


def test_source_of_power_without_a_level_is_named():
    said = {"battery": {"source": "external", "percent": None}}
    assert drawn({**LINK, **said})[5] == "battery    external, downlink margin 12 dB, 2 h ago"


def test_gateway_beyond_the_numbered_ones_and_a_full_bar_are_drawn():
    row = {"gateway_eui": None, "uplinks": 1, "margin_db_mean": 40.0, "margin_db_min": 40.0}
    assert drawn({**LINK, "gateways": [row]})[-1] == "others  " + "█" * 24 + "  40.0 dB margin, least 40.0  1 of 3"
