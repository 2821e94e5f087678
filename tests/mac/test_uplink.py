import pytest

from lns.lorawan.crypto import UP, PayloadCipher
from lns.lorawan.crypto11 import FOptsCipher
from lns.lorawan.phy import ADR, ADR_ACK_REQ, MType, build_data, parse_uplink
from lns.mac.match import Kind, Match
from lns.mac.settings import MacSettings
from lns.mac.uplink import handle
from tests.mac.build import DEV_ADDR, session, session_1_1, uplink


def handled(phy, fcnt=1, owner=None):
    return handle(parse_uplink(phy), Match(owner or session(), fcnt, Kind.NEW))


def test_the_payload_is_decrypted_and_nothing_is_owed_for_a_plain_uplink():
    result = handled(uplink(1, b"payload"))
    assert (result.data, result.fport, result.commands, result.wants_downlink) == (b"payload", 10, (), False)


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


def test_commands_on_fport_0_are_read_and_are_no_application_data():
    result = handled(uplink(1, b"\x02\x0d", fport=0))
    assert ([c.name for c in result.commands], result.data, result.fport) == (["LinkCheckReq", "DeviceTimeReq"], b"", 0)


def test_an_unknown_command_costs_only_itself_and_what_follows():
    result = handled(uplink(1, fopts=b"\x02\xfe"))
    assert [c.name for c in result.commands] == ["LinkCheckReq"]
    assert result.problem is not None


@pytest.mark.parametrize("before_erratum", [False, True])
def test_fopts_of_a_1_1_session_are_read_in_both_forms_of_the_erratum(before_erratum):
    owner = session_1_1()
    owner.device.settings = MacSettings(fopts_before_erratum=before_erratum)
    cipher = FOptsCipher(owner.keys.nwk_s_enc_key)
    fopts = cipher.apply(b"\x02\x0d", owner.dev_addr_le, 7, UP, False, before_erratum)
    result = handled(uplink(7, fopts=fopts), 7, owner)
    assert [command.name for command in result.commands] == ["LinkCheckReq", "DeviceTimeReq"]


def test_commands_on_fport_0_of_a_1_1_session_are_under_nwk_s_enc_key():
    owner = session_1_1()
    octets = PayloadCipher(owner.keys.nwk_s_enc_key).apply(b"\x02", owner.dev_addr_le, 7, UP)
    phy = build_data(MType.UNCONFIRMED_UP, DEV_ADDR, 0, 7, b"", 0, octets) + bytes(4)
    assert [command.name for command in handled(phy, 7, owner).commands] == ["LinkCheckReq"]
