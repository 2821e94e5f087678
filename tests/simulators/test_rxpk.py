"""PUSH_DATA by templates reads back as what was heard, whatever the server's parser is."""

from base64 import b64encode

import pytest

from lns.gateways import semtech
from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from lns.mac.frames import Reception
from simulators.rxpk import HEAD, Tails


@pytest.mark.parametrize(
    ("name", "channel", "dr", "modulation", "freq_hz"),
    [
        ("EU868", 0, 0, Lora(12, 125_000), 868_100_000),
        ("EU868", 2, 5, Lora(7, 125_000), 868_500_000),
        ("US915", 9, 3, Lora(7, 125_000), 904_100_000),
        ("US915", 65, 4, Lora(8, 500_000), 904_600_000),
    ],
)
def test_a_tail_is_what_the_gateway_heard(name, channel, dr, modulation, freq_hz):
    plan = region(name)
    phy = bytes(range(23))
    tail = Tails(plan).tail(plan.uplink_channels[channel], dr, -101, -3.5, b64encode(phy), len(phy))
    datagram = (
        b"\x02\x12\x34\x00" + bytes.fromhex("aa555a0000000001") + b'{"rxpk":[' + HEAD + b"4294967295" + tail + b"]}"
    )
    message = semtech.parse(datagram, received_at_us=7)
    assert isinstance(message, semtech.PushData)
    assert (message.problems, message.gateway_eui) == ([], "aa555a0000000001")
    index = plan.uplink_channels[channel].index
    assert message.receptions == [
        Reception(
            phy_payload=phy,
            gateway_eui="aa555a0000000001",
            freq_hz=freq_hz,
            modulation=modulation,
            rssi_dbm=-101,
            snr_db=-3.5,
            tmst_us=4_294_967_295,
            received_at_us=7,
            chan=index % 8,
            rf_chain=index % 8 // 4,
            rssis_dbm=-101,
            freq_offset_hz=0,
        )
    ]
