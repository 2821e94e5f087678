"""MAC commands: one table from CID to layout for each direction, and the two functions that read it.

A command has no length of its own, so an unknown CID or a cut-off command ends the run; those before it still count.
Field names are the specification's; frequencies are in Hz, identifiers in display order, keys as they are.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import construct as c
import msgspec


class Command(msgspec.Struct, frozen=True):
    """One MAC command; `fields` is JSON-ready."""

    cid: int
    name: str
    fields: dict[str, Any]


class _Frequency(c.Adapter):  # type: ignore[misc]
    """24 bits in steps of 100 Hz, as Hz."""

    def _decode(self, obj: int, context: Any, path: str) -> int:
        return obj * 100

    def _encode(self, obj: int, context: Any, path: str) -> int:
        if obj % 100:
            raise c.ValidationError(f"{obj} Hz is not a multiple of 100 Hz", path=path)
        return obj // 100


class _Hex(c.Adapter):  # type: ignore[misc]
    """Octets as hex in the order they are sent."""

    def _decode(self, obj: bytes, context: Any, path: str) -> str:
        return obj.hex()

    def _encode(self, obj: str, context: Any, path: str) -> bytes:
        return bytes.fromhex(obj)


class _FilterList(c.Adapter):  # type: ignore[misc]
    """FilterListReq: the length of `filter_list_eui`, the leftmost octets of JoinEUI and DevEUI, is not a field."""

    def _decode(self, obj: Any, context: Any, path: str) -> dict[str, Any]:
        return {
            "filter_list_idx": obj.rule.filter_list_idx,
            "filter_list_action": obj.rule.filter_list_action,
            "filter_list_eui": obj.eui[::-1].hex(),
        }

    def _encode(self, obj: dict[str, Any], context: Any, path: str) -> dict[str, Any]:
        eui = bytes.fromhex(obj["filter_list_eui"])[::-1]
        return {"rule": {**obj, "length": len(eui)}, "eui": eui}


def _le(bits: int) -> Any:
    return c.BitsInteger(bits, swapped=True)


def _le_bits(*fields: Any) -> Any:
    """Bit fields of a little-endian number of several octets, the most significant first."""
    return c.ByteSwapped(c.BitStruct(*fields))


_RFU = c.Padding
_u = c.BitsInteger
_octets = c.BitStruct  # bit fields, the most significant of the first octet first

_FREQUENCY = _Frequency(_le(24))
_FREQUENCY_ONLY = (_octets("frequency_hz" / _FREQUENCY),)
_MINOR = (_octets(_RFU(4), "minor" / _u(4)),)
_CLASS = (_octets("class" / _u(8)),)
_DEV_ADDR = _Hex(c.ByteSwapped(c.Bytes(4)))
_SECOND_CHANNEL = ("second_ch_idx" / _u(2), "second_ch_dr" / _u(4), "second_ch_ack_offset" / _u(3))
_SECOND_CHANNEL_FREQUENCY = _octets("second_ch_freq_hz" / _FREQUENCY)


def _flags(*names: str) -> tuple[Any]:
    """One octet of flags, bit 0 first."""
    return (_octets(_RFU(8 - len(names)), *(name / c.Flag for name in reversed(names))),)


class _Row(msgspec.Struct, frozen=True):
    """A command's place in the table: `parts` follow each other in the octets and share the fields."""

    cid: int
    name: str
    parts: tuple[Any, ...] = ()


_UPLINK = (
    _Row(0x01, "ResetInd", _MINOR),
    _Row(0x02, "LinkCheckReq"),
    _Row(0x03, "LinkADRAns", _flags("channel_mask_ack", "data_rate_ack", "power_ack")),
    _Row(0x04, "DutyCycleAns"),
    _Row(0x05, "RXParamSetupAns", _flags("channel_ack", "rx2_data_rate_ack", "rx1_dr_offset_ack")),
    _Row(0x06, "DevStatusAns", (_octets("battery" / _u(8), _RFU(2), "margin" / _u(6, signed=True)),)),
    _Row(0x07, "NewChannelAns", _flags("channel_frequency_ok", "data_rate_range_ok")),
    _Row(0x08, "RXTimingSetupAns"),
    _Row(0x09, "TXParamSetupAns"),
    _Row(0x0A, "DlChannelAns", _flags("channel_frequency_ok", "uplink_frequency_exists")),
    _Row(0x0B, "RekeyInd", _MINOR),
    _Row(0x0C, "ADRParamSetupAns"),
    _Row(0x0D, "DeviceTimeReq"),
    _Row(0x0F, "RejoinParamSetupAns", _flags("time_ok")),
    _Row(0x10, "PingSlotInfoReq", (_octets(_RFU(5), "periodicity" / _u(3)),)),
    _Row(0x11, "PingSlotChannelAns", _flags("channel_frequency_ok", "data_rate_ok")),
    _Row(0x12, "BeaconTimingReq"),  # deprecated; known so that the commands after it are read
    _Row(0x13, "BeaconFreqAns", _flags("beacon_frequency_ok")),
    _Row(0x20, "DeviceModeInd", _CLASS),
    _Row(
        0x40,
        "RelayConfAns",
        _flags(
            "second_ch_freq_ack",
            "second_ch_ack_offset_ack",
            "second_ch_dr_ack",
            "second_ch_idx_ack",
            "default_ch_idx_ack",
            "cad_periodicity_ack",
        ),
    ),
    _Row(
        0x41,
        "EndDeviceConfAns",
        _flags("second_ch_freq_ack", "second_ch_dr_ack", "second_ch_idx_ack", "backoff_ack"),
    ),
    _Row(0x42, "FilterListAns", _flags("filter_list_action_ack", "filter_list_len_ack", "combined_rules_ack")),
    _Row(0x43, "UpdateUplinkListAns"),
    _Row(0x44, "CtrlUplinkListAns", (*_flags("uplink_list_idx_ack"), c.Struct("w_fcnt" / c.Int32ul))),
    _Row(0x45, "ConfigureFwdLimitAns"),
    _Row(
        0x46,
        "NotifyNewEndDeviceReq",
        (
            c.Struct("dev_addr" / _DEV_ADDR),
            _le_bits(
                _RFU(4),
                "wor_rssi" / c.ExprAdapter(_u(7), lambda code, _: -code - 15, lambda dbm, _: -dbm - 15),
                "wor_snr" / c.ExprAdapter(_u(5), lambda code, _: code - 20, lambda db, _: db + 20),
            ),
        ),
    ),
)

_MAX_EIRP_DBM = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)

_DOWNLINK = (
    _Row(0x01, "ResetConf", _MINOR),
    _Row(0x02, "LinkCheckAns", (_octets("margin" / _u(8), "gw_cnt" / _u(8)),)),
    _Row(
        0x03,
        "LinkADRReq",
        (
            _octets(
                "data_rate" / _u(4),
                "tx_power" / _u(4),
                "ch_mask" / _le(16),
                _RFU(1),
                "ch_mask_cntl" / _u(3),
                "nb_trans" / _u(4),
            ),
        ),
    ),
    _Row(0x04, "DutyCycleReq", (_octets("max_duty_cycle" / _u(8)),)),  # 255 switched a 1.0.0 device off
    _Row(
        0x05,
        "RXParamSetupReq",
        (_octets(_RFU(1), "rx1_dr_offset" / _u(3), "rx2_data_rate" / _u(4), "frequency_hz" / _FREQUENCY),),
    ),
    _Row(0x06, "DevStatusReq"),
    _Row(
        0x07,
        "NewChannelReq",
        (_octets("ch_index" / _u(8), "frequency_hz" / _FREQUENCY, "max_dr" / _u(4), "min_dr" / _u(4)),),
    ),
    _Row(0x08, "RXTimingSetupReq", (_octets(_RFU(4), "delay" / _u(4)),)),
    _Row(
        0x09,
        "TXParamSetupReq",
        (
            _octets(
                _RFU(2),
                "downlink_dwell_400ms" / _u(1),
                "uplink_dwell_400ms" / _u(1),
                "max_eirp_dbm" / c.Mapping(_u(4), {dbm: code for code, dbm in enumerate(_MAX_EIRP_DBM)}),
            ),
        ),
    ),
    _Row(0x0A, "DlChannelReq", (_octets("ch_index" / _u(8), "frequency_hz" / _FREQUENCY),)),
    _Row(0x0B, "RekeyConf", _MINOR),
    _Row(0x0C, "ADRParamSetupReq", (_octets("limit_exp" / _u(4), "delay_exp" / _u(4)),)),
    _Row(0x0D, "DeviceTimeAns", (c.Struct("gps_seconds" / c.Int32ul, "fraction_256" / c.Int8ul),)),
    _Row(
        0x0E,
        "ForceRejoinReq",
        (_le_bits(_RFU(2), "period" / _u(3), "max_retries" / _u(3), _RFU(1), "rejoin_type" / _u(3), "dr" / _u(4)),),
    ),
    _Row(0x0F, "RejoinParamSetupReq", (_octets("max_time_n" / _u(4), "max_count_n" / _u(4)),)),
    _Row(0x10, "PingSlotInfoAns"),
    _Row(0x11, "PingSlotChannelReq", (_octets("frequency_hz" / _FREQUENCY, _RFU(4), "dr" / _u(4)),)),
    _Row(0x13, "BeaconFreqReq", _FREQUENCY_ONLY),
    _Row(0x20, "DeviceModeConf", _CLASS),
    _Row(
        0x40,
        "RelayConfReq",
        (
            _le_bits(
                _RFU(2), "start_stop" / _u(1), "cad_periodicity" / _u(3), "default_ch_idx" / _u(1), *_SECOND_CHANNEL
            ),
            _SECOND_CHANNEL_FREQUENCY,
        ),
    ),
    _Row(
        0x41,
        "EndDeviceConfReq",
        (
            _octets(_RFU(4), "relay_mode_activation" / _u(2), "smart_enable_level" / _u(2)),
            _le_bits(_RFU(1), "backoff" / _u(6), *_SECOND_CHANNEL),
            _SECOND_CHANNEL_FREQUENCY,
        ),
    ),
    _Row(
        0x42,
        "FilterListReq",
        (
            _FilterList(
                c.Struct(
                    "rule"
                    / _le_bits(_RFU(5), "filter_list_idx" / _u(4), "filter_list_action" / _u(2), "length" / _u(5)),
                    "eui" / c.Bytes(c.this.rule.length),
                )
            ),
        ),
    ),
    _Row(
        0x43,
        "UpdateUplinkListReq",
        (
            _octets(_RFU(4), "uplink_list_idx" / _u(4), "bucket_size" / _u(2), "reload_rate" / _u(6)),
            c.Struct("dev_addr" / _DEV_ADDR, "w_fcnt" / c.Int32ul, "root_wor_s_key" / _Hex(c.Bytes(16))),
        ),
    ),
    _Row(0x44, "CtrlUplinkListReq", (_octets(_RFU(3), "ctrl_uplink_action" / _u(1), "uplink_list_idx" / _u(4)),)),
    _Row(
        0x45,
        "ConfigureFwdLimitReq",
        (
            _le_bits(
                _RFU(2),
                "reset_limit_counter" / _u(2),
                "join_req_reload_rate" / _u(7),
                "notify_reload_rate" / _u(7),
                "global_uplink_reload_rate" / _u(7),
                "overall_reload_rate" / _u(7),
            ),
            _octets(
                "join_req_limit_size" / _u(2),
                "notify_limit_size" / _u(2),
                "global_uplink_limit_size" / _u(2),
                "overall_limit_size" / _u(2),
            ),
        ),
    ),
)


def _by_cid(rows: Iterable[_Row]) -> dict[int, _Row]:
    return {row.cid: row for row in rows}


def _by_name(rows: Iterable[_Row]) -> dict[str, _Row]:
    return {row.name: row for row in rows}


_BY_CID = {True: _by_cid(_UPLINK), False: _by_cid(_DOWNLINK)}
_BY_NAME = {True: _by_name(_UPLINK), False: _by_name(_DOWNLINK)}


def parse_commands(data: bytes, uplink: bool) -> tuple[list[Command], str | None]:
    """The commands in `data`, in clear, and what ended the run before its end, if anything did."""
    rows = _BY_CID[uplink]
    commands: list[Command] = []
    stream = BytesIO(data)
    while octet := stream.read(1):
        cid = octet[0]
        row = rows.get(cid)
        if row is None:
            return commands, f"cid {cid:02x} at octet {stream.tell() - 1} is not known"
        at = stream.tell()
        try:
            fields = _parse_fields(row, stream)
        except c.StreamError:
            return commands, f"{row.name} is cut off after {len(data) - at} octets"
        commands.append(Command(cid, row.name, fields))
    return commands, None


def _parse_fields(row: _Row, stream: BytesIO) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in row.parts:
        fields.update(part.parse_stream(stream))
    fields.pop("_io", None)  # construct leaves its stream there
    return fields


def encode_command(name: str, uplink: bool, **fields: Any) -> bytes:
    """CID and payload of one command. ValueError for an unknown name, a wrong set of fields, a value too big."""
    row = _BY_NAME[uplink].get(name)
    if row is None:
        raise ValueError(f"{name} is no {'uplink' if uplink else 'downlink'} command")
    try:
        octets = b"".join([part.build(fields) for part in row.parts])
    except KeyError as error:
        raise ValueError(f"{name} needs the field {error.args[0]}") from error
    except c.ConstructError as error:
        raise ValueError(f"{name} cannot be built: {error}") from error
    if unknown := fields.keys() - _parse_fields(row, BytesIO(octets)).keys():
        raise ValueError(f"{name} has no field {min(unknown)}")
    return bytes((row.cid,)) + octets
