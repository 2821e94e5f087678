from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lns.lorawan.regions import region
from lns.mac.radio import Radio
from lns.registry.errors import RegistryError
from lns.registry.registry import Registry
from lns.registry.rows import SessionRow
from lns.registry.session_file import FRAMES_UNDER_WAY, SessionFile, read_session
from tests.registry.samples import APP_S_KEY, KEYS_1_1, NWK_KEY, NWK_S_KEY, abp, execute, otaa, refusal, write_traces

EUI = "70b3d57ed0000001"
FILE: dict[str, Any] = {
    "version": 1,
    "dev_eui": EUI,
    "lorawan_version": "1.0.3",
    "minor": 0,
    "region": "EU868",
    "dev_addr": "260b1f22",
    "keys": {"nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY},
    "fcnt_up": 41,
    "fcnt_down": 7,
    "afcnt_down": 0,
    "rx1_delay_s": 5,
    "rx1_dr_offset": 1,
    "rx2_dr": 3,
    "rx2_freq_hz": 869_525_000,
    "radio": msgspec.json.decode(Radio(region("EU868")).dump()),
    "join_nonce": 12,
    "dev_nonces": [7, 300, 7],
    "rj_count0": None,
    "rj_count1": 4,
}


def session(registry: Registry) -> SessionRow:
    (row,) = registry.load_network().sessions
    return row


def test_session_takes_the_place_of_the_old_one(registry: Registry) -> None:
    device_id = registry.devices.add(otaa()).id
    write_traces(registry.path, device_id)
    execute(registry.path, "UPDATE device SET join_nonce = 3, rj_count1 = 9")
    registry.session_files.replace(EUI, FILE)
    row = session(registry)
    assert msgspec.structs.replace(row, id=0, created_at_us=0, radio=None) == SessionRow(
        id=0,
        device_id=device_id,
        region="EU868",
        dev_addr="260b1f22",
        keys=bytes.fromhex(NWK_S_KEY + APP_S_KEY),
        minor=0,
        fcnt_up=41,
        fcnt_down=7,
        afcnt_down=0,
        rx1_delay_s=5,
        rx1_dr_offset=1,
        rx2_dr=3,
        rx2_freq_hz=869_525_000,
        state="active",
        created_at_us=0,
        last_uplink_at_us=None,
        radio=None,
    )
    assert msgspec.json.decode(row.radio or b"") == FILE["radio"]
    (device,) = registry.load_network().devices
    assert (device.join_nonce, device.rj_count0, device.rj_count1) == (12, -1, 9)
    assert sorted(registry.load_network().nonces[device_id]) == [7, 9, 300]


def test_session_of_lorawan_1_1_has_four_keys(registry: Registry) -> None:
    registry.templates.add({"name": "t", "lorawan_version": "1.1"})
    registry.devices.add(otaa(template="t", nwk_key=NWK_KEY))
    given = {**FILE, "lorawan_version": "1.1.0", "minor": 1, "keys": KEYS_1_1, "afcnt_down": 3, "rj_count0": 2}
    registry.session_files.replace(EUI, given)
    row = session(registry)
    assert (row.keys.hex(), row.minor, row.afcnt_down) == ("".join(KEYS_1_1.values()), 1, 3)


def test_what_is_left_out_has_its_default(registry: Registry) -> None:
    registry.devices.add(otaa())
    needed = ("version", "dev_eui", "lorawan_version", "minor", "region", "dev_addr", "keys")
    registry.session_files.replace(EUI, {name: FILE[name] for name in needed})
    row = session(registry)
    assert (row.fcnt_up, row.fcnt_down, row.rx1_delay_s, row.rx2_dr, row.radio) == (-1, 0, 1, 0, None)


def test_downlink_counters_of_a_key_in_use_never_go_back(registry: Registry) -> None:
    registry.devices.add(abp(1, {"fcnt_down": 70}))
    registry.session_files.replace(EUI, FILE)
    assert session(registry).fcnt_down == 70 + FRAMES_UNDER_WAY
    registry.session_files.replace(EUI, {**FILE, "keys": {"nwk_s_key": NWK_KEY, "app_s_key": APP_S_KEY}})
    assert session(registry).fcnt_down == 7


def test_session_that_a_join_has_just_made_stays(registry: Registry) -> None:
    write_traces(registry.path, registry.devices.add(otaa()).id)
    execute(registry.path, "UPDATE session SET state = 'pending'")
    registry.session_files.replace(EUI, FILE)
    assert sorted((row.id == 7, row.state) for row in registry.load_network().sessions) == [
        (False, "active"),
        (True, "pending"),
    ]


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"dev_eui": "70b3d57ed0000002"}, "conflict", f"the session is that of device 70b3d57ed0000002, not of {EUI}"),
        (
            {"lorawan_version": "1.0.2"},
            "conflict",
            f"the session is of lorawan 1.0.2, device {EUI} of 1.0.3 by its device template 'default'",
        ),
        (
            {"region": "EU433", "rx2_freq_hz": None, "radio": None},
            "conflict",
            f"the session is of region EU433, device {EUI} of EU868 by its device template 'default'",
        ),
        ({"version": 2}, "invalid", "version is 2, expected one of 1"),
        ({"minor": 1}, "invalid", "keys has app_s_key, nwk_s_key: a session with minor 1 has f_nwk_s_int_key, "),
        ({"minor": 1, "keys": KEYS_1_1}, "invalid", "minor is 1, but a device of lorawan 1.0.3 has sessions with"),
        ({"keys": {**FILE["keys"], "app_s_key": "2b7e"}}, "invalid", "keys.app_s_key: the key has 4 characters: 32 "),
        ({"keys": {"nwk_s_key": 1}}, "invalid", "keys[...]: expected str, got int"),
        ({"fcnt_up": -2}, "invalid", "fcnt_up is -2, expected int >= -1"),
        ({"rx2_dr": 9}, "invalid", "rx2_dr is 9, which is no downlink data rate of EU868"),
        ({"rx2_freq_hz": 1}, "invalid", "rx2_freq_hz: EU868 has no band at 1 Hz"),
        ({"radio": {"mask": "7"}}, "invalid", "radio: Object missing required field `max_eirp_dbm`"),
        ({"colour": "red"}, "invalid", "the object has no field 'colour'"),
        ({"dev_addr": "26"}, "invalid", "dev_addr: '26' is not a DevAddr: 8 hex digits are needed"),
    ],
)
def test_file_that_does_not_fit_is_refused_whole(
    registry: Registry, change: dict[str, Any], code: str, text: str
) -> None:
    made = registry.devices.add(otaa())
    told_code, told = refusal(registry.session_files.replace, EUI, {**FILE, **change})
    assert (told_code, told[: len(text)]) == (code, text)
    assert registry.devices.get(EUI) == made


def test_unknown_device_is_told(registry: Registry) -> None:
    assert refusal(registry.session_files.replace, EUI, FILE) == ("not_found", f"device {EUI} does not exist")


VALUES = (
    st.none() | st.integers(-2, 1 << 33) | st.text(max_size=4) | st.lists(st.integers(0, 9)) | st.just(FILE["keys"])
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(change=st.dictionaries(st.sampled_from(SessionFile.__struct_fields__), VALUES, max_size=3))
def test_any_object_is_taken_or_refused_in_a_sentence(registry: Registry, change: dict[str, Any]) -> None:
    try:
        registry.session_files.replace(EUI, {**FILE, **change})
    except RegistryError as error:
        refused = str(error)
        assert refused


def test_every_field_is_described() -> None:
    schema = msgspec.json.schema(SessionFile)["$defs"]["SessionFile"]["properties"]
    assert {name for name, field in schema.items() if "description" not in field} <= {"rx2_dr", "rx2_freq_hz"}
    assert read_session(FILE).dev_nonces == (7, 300, 7)
