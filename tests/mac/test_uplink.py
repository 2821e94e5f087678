import pytest

from lns.lorawan.commands import parse_commands
from lns.lorawan.modulation import Lora
from lns.lorawan.phy import ADR, ADR_ACK_REQ, parse_uplink
from lns.mac.match import Kind, Match
from lns.mac.uplink import handle
from tests.mac.build import reception, session, uplink


def handled(phy, fcnt=1, receptions=None):
    return handle(parse_uplink(phy), Match(session(), fcnt, Kind.NEW), receptions or [reception(phy)])


def test_the_payload_is_decrypted_and_nothing_is_owed_for_a_plain_uplink():
    result = handled(uplink(1, b"payload"))
    assert (result.data, result.fport, result.answers, result.wants_downlink) == (b"payload", 10, b"", False)


@pytest.mark.parametrize(
    ("frame", "wants"),
    [
        (uplink(1, confirmed=True), True),
        (uplink(1, flags=ADR | ADR_ACK_REQ), True),
        (uplink(1, flags=ADR_ACK_REQ), False),  # without ADR the bit is ignored
        (uplink(1, flags=ADR), False),
    ],
)
def test_what_makes_the_device_wait_for_an_answer(frame, wants):
    assert handled(frame).wants_downlink is wants


def test_link_check_tells_margin_above_the_floor_and_gateways():
    phy = uplink(1, fopts=b"\x02")
    heard = [reception(phy, g, snr_db=2.6, modulation=Lora(10, 125_000)) for g in (1, 2, 2)]
    (answer,), _ = parse_commands(handled(phy, receptions=heard).answers, uplink=False)
    assert (answer.name, answer.fields) == ("LinkCheckAns", {"margin": 17, "gw_cnt": 2})


def test_device_time_is_the_gateways_gps_time_where_it_has_one():
    phy = uplink(1, fopts=b"\x0d")
    heard = [reception(phy, 1), reception(phy, 2, gps_time_ms=1_292_885_072_750)]
    (answer,), _ = parse_commands(handled(phy, receptions=heard).answers, uplink=False)
    assert answer.fields == {"gps_seconds": 1_292_885_072, "fraction_256": 192}


def test_device_time_falls_back_to_the_servers_clock():
    phy = uplink(1, fopts=b"\x0d")
    (answer,), _ = parse_commands(handled(phy).answers, uplink=False)
    assert answer.fields == {"gps_seconds": 1_700_000_000 - 315_964_800 + 18, "fraction_256": 0}


def test_commands_on_fport_0_are_read_and_are_no_application_data():
    result = handled(uplink(1, b"\x02\x0d", fport=0))
    assert ([c.name for c in result.commands], result.data, result.fport) == (["LinkCheckReq", "DeviceTimeReq"], b"", 0)


def test_an_unknown_command_costs_only_itself_and_what_follows():
    result = handled(uplink(1, fopts=b"\x02\xfe"))
    assert [c.name for c in result.commands] == ["LinkCheckReq"]
    assert result.problem is not None
