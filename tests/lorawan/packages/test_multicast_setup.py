import pytest

from lns.lorawan.layout import Command
from lns.lorawan.packages.multicast_setup import encode, parse


# Octets from the tests of ChirpStack's `lrwn`; a missed start is read by its rule, it has no test of one.
@pytest.mark.parametrize("name", ["McClassCSessionAns", "McClassBSessionAns"])
@pytest.mark.parametrize(
    ("fields", "octets"),
    [
        ({"mc_group_id": 2, "errors": [], "time_to_start_s": 1024}, "02000400"),
        (
            {"mc_group_id": 2, "errors": ["dr_error", "freq_error", "mc_group_undefined"], "time_to_start_s": None},
            "1e",
        ),
        ({"mc_group_id": 2, "errors": ["start_missed"], "time_to_start_s": 1024}, "22000400"),
    ],
)
def test_session_answer_has_a_time_to_start_unless_the_session_is_refused(name: str, fields: dict, octets: str) -> None:
    cid = {"McClassCSessionAns": 4, "McClassBSessionAns": 5}[name]
    whole = bytes((cid,)) + bytes.fromhex(octets)
    assert encode(name, True, **fields) == whole
    assert parse(whole, uplink=True) == ([Command(cid, name, fields)], None)


def test_status_lists_as_many_groups_as_its_mask_has_bits() -> None:
    groups = [{"id": 0, "mc_addr": "01020304"}, {"id": 2, "mc_addr": "05060708"}]
    octets = encode("McGroupStatusAns", True, nb_total_groups=2, ans_group_mask=5, groups=groups)
    assert octets.hex() == "012500040302010208070605"
    assert parse(octets + b"\x02\x00", uplink=True) == (
        [
            Command(1, "McGroupStatusAns", {"nb_total_groups": 2, "ans_group_mask": 5, "groups": groups}),
            Command(2, "McGroupSetupAns", {"id_error": False, "mc_group_id": 0}),
        ],
        None,
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"mc_group_id": 2, "errors": ["no_such"], "time_to_start_s": None},
            "no_such is none of dr_error, freq_error, mc_group_undefined, start_missed",
        ),
        ({"mc_group_id": 2, "errors": [], "time_to_start_s": None}, ""),
    ],
)
def test_session_answer_that_contradicts_itself_is_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"McClassCSessionAns cannot be built: (?s:.*){message}"):
        encode("McClassCSessionAns", True, **fields)
