"""The MAC commands: one table from CID to layout for each direction.

Field names are the specification's.
"""

from typing import Any

import construct as c

from lns.lorawan.layout import DEV_ADDR, FREQUENCY, RFU, Command, Hex, Row, Table, flags, le, le_bits, octets, u


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


_FREQUENCY_ONLY = (octets("frequency_hz" / FREQUENCY),)
_MINOR = (octets(RFU(4), "minor" / u(4)),)
_CLASS = (octets("class" / u(8)),)
_SECOND_CHANNEL = ("second_ch_idx" / u(2), "second_ch_dr" / u(4), "second_ch_ack_offset" / u(3))
_SECOND_CHANNEL_FREQUENCY = octets("second_ch_freq_hz" / FREQUENCY)

_UPLINK = (
    Row(0x01, "ResetInd", _MINOR),
    Row(0x02, "LinkCheckReq"),
    Row(0x03, "LinkADRAns", flags("channel_mask_ack", "data_rate_ack", "power_ack")),
    Row(0x04, "DutyCycleAns"),
    Row(0x05, "RXParamSetupAns", flags("channel_ack", "rx2_data_rate_ack", "rx1_dr_offset_ack")),
    Row(0x06, "DevStatusAns", (octets("battery" / u(8), RFU(2), "margin" / u(6, signed=True)),)),
    Row(0x07, "NewChannelAns", flags("channel_frequency_ok", "data_rate_range_ok")),
    Row(0x08, "RXTimingSetupAns"),
    Row(0x09, "TXParamSetupAns"),
    Row(0x0A, "DlChannelAns", flags("channel_frequency_ok", "uplink_frequency_exists")),
    Row(0x0B, "RekeyInd", _MINOR),
    Row(0x0C, "ADRParamSetupAns"),
    Row(0x0D, "DeviceTimeReq"),
    Row(0x0F, "RejoinParamSetupAns", flags("time_ok")),
    Row(0x10, "PingSlotInfoReq", (octets(RFU(5), "periodicity" / u(3)),)),
    Row(0x11, "PingSlotChannelAns", flags("channel_frequency_ok", "data_rate_ok")),
    Row(0x12, "BeaconTimingReq"),  # deprecated; known so that the commands after it are read
    Row(0x13, "BeaconFreqAns", flags("beacon_frequency_ok")),
    Row(0x20, "DeviceModeInd", _CLASS),
    Row(
        0x40,
        "RelayConfAns",
        flags(
            "second_ch_freq_ack",
            "second_ch_ack_offset_ack",
            "second_ch_dr_ack",
            "second_ch_idx_ack",
            "default_ch_idx_ack",
            "cad_periodicity_ack",
        ),
    ),
    Row(
        0x41,
        "EndDeviceConfAns",
        flags("second_ch_freq_ack", "second_ch_dr_ack", "second_ch_idx_ack", "backoff_ack"),
    ),
    Row(0x42, "FilterListAns", flags("filter_list_action_ack", "filter_list_len_ack", "combined_rules_ack")),
    Row(0x43, "UpdateUplinkListAns"),
    Row(0x44, "CtrlUplinkListAns", (*flags("uplink_list_idx_ack"), c.Struct("w_fcnt" / c.Int32ul))),
    Row(0x45, "ConfigureFwdLimitAns"),
    Row(
        0x46,
        "NotifyNewEndDeviceReq",
        (
            c.Struct("dev_addr" / DEV_ADDR),
            le_bits(
                RFU(4),
                "wor_rssi" / c.ExprAdapter(u(7), lambda code, _: -code - 15, lambda dbm, _: -dbm - 15),
                "wor_snr" / c.ExprAdapter(u(5), lambda code, _: code - 20, lambda db, _: db + 20),
            ),
        ),
    ),
)

_MAX_EIRP_DBM = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)

_DOWNLINK = (
    Row(0x01, "ResetConf", _MINOR),
    Row(0x02, "LinkCheckAns", (octets("margin" / u(8), "gw_cnt" / u(8)),)),
    Row(
        0x03,
        "LinkADRReq",
        (
            octets(
                "data_rate" / u(4),
                "tx_power" / u(4),
                "ch_mask" / le(16),
                RFU(1),
                "ch_mask_cntl" / u(3),
                "nb_trans" / u(4),
            ),
        ),
    ),
    Row(0x04, "DutyCycleReq", (octets("max_duty_cycle" / u(8)),)),  # 255 switched a 1.0.0 device off
    Row(
        0x05,
        "RXParamSetupReq",
        (octets(RFU(1), "rx1_dr_offset" / u(3), "rx2_data_rate" / u(4), "frequency_hz" / FREQUENCY),),
    ),
    Row(0x06, "DevStatusReq"),
    Row(
        0x07,
        "NewChannelReq",
        (octets("ch_index" / u(8), "frequency_hz" / FREQUENCY, "max_dr" / u(4), "min_dr" / u(4)),),
    ),
    Row(0x08, "RXTimingSetupReq", (octets(RFU(4), "delay" / u(4)),)),
    Row(
        0x09,
        "TXParamSetupReq",
        (
            octets(
                RFU(2),
                "downlink_dwell_400ms" / u(1),
                "uplink_dwell_400ms" / u(1),
                "max_eirp_dbm" / c.Mapping(u(4), {dbm: code for code, dbm in enumerate(_MAX_EIRP_DBM)}),
            ),
        ),
    ),
    Row(0x0A, "DlChannelReq", (octets("ch_index" / u(8), "frequency_hz" / FREQUENCY),)),
    Row(0x0B, "RekeyConf", _MINOR),
    Row(0x0C, "ADRParamSetupReq", (octets("limit_exp" / u(4), "delay_exp" / u(4)),)),
    Row(0x0D, "DeviceTimeAns", (c.Struct("gps_seconds" / c.Int32ul, "fraction_256" / c.Int8ul),)),
    Row(
        0x0E,
        "ForceRejoinReq",
        (le_bits(RFU(2), "period" / u(3), "max_retries" / u(3), RFU(1), "rejoin_type" / u(3), "dr" / u(4)),),
    ),
    Row(0x0F, "RejoinParamSetupReq", (octets("max_time_n" / u(4), "max_count_n" / u(4)),)),
    Row(0x10, "PingSlotInfoAns"),
    Row(0x11, "PingSlotChannelReq", (octets("frequency_hz" / FREQUENCY, RFU(4), "dr" / u(4)),)),
    Row(0x13, "BeaconFreqReq", _FREQUENCY_ONLY),
    Row(0x20, "DeviceModeConf", _CLASS),
    Row(
        0x40,
        "RelayConfReq",
        (
            le_bits(RFU(2), "start_stop" / u(1), "cad_periodicity" / u(3), "default_ch_idx" / u(1), *_SECOND_CHANNEL),
            _SECOND_CHANNEL_FREQUENCY,
        ),
    ),
    Row(
        0x41,
        "EndDeviceConfReq",
        (
            octets(RFU(4), "relay_mode_activation" / u(2), "smart_enable_level" / u(2)),
            le_bits(RFU(1), "backoff" / u(6), *_SECOND_CHANNEL),
            _SECOND_CHANNEL_FREQUENCY,
        ),
    ),
    Row(
        0x42,
        "FilterListReq",
        (
            _FilterList(
                c.Struct(
                    "rule" / le_bits(RFU(5), "filter_list_idx" / u(4), "filter_list_action" / u(2), "length" / u(5)),
                    "eui" / c.Bytes(c.this.rule.length),
                )
            ),
        ),
    ),
    Row(
        0x43,
        "UpdateUplinkListReq",
        (
            octets(RFU(4), "uplink_list_idx" / u(4), "bucket_size" / u(2), "reload_rate" / u(6)),
            c.Struct("dev_addr" / DEV_ADDR, "w_fcnt" / c.Int32ul, "root_wor_s_key" / Hex(c.Bytes(16))),
        ),
    ),
    Row(0x44, "CtrlUplinkListReq", (octets(RFU(3), "ctrl_uplink_action" / u(1), "uplink_list_idx" / u(4)),)),
    Row(
        0x45,
        "ConfigureFwdLimitReq",
        (
            le_bits(
                RFU(2),
                "reset_limit_counter" / u(2),
                "join_req_reload_rate" / u(7),
                "notify_reload_rate" / u(7),
                "global_uplink_reload_rate" / u(7),
                "overall_reload_rate" / u(7),
            ),
            octets(
                "join_req_limit_size" / u(2),
                "notify_limit_size" / u(2),
                "global_uplink_limit_size" / u(2),
                "overall_limit_size" / u(2),
            ),
        ),
    ),
)

_TABLE = Table(_UPLINK, _DOWNLINK)
parse_commands = _TABLE.parse
encode_command = _TABLE.encode

__all__ = ["Command", "encode_command", "parse_commands"]
