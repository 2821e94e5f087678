"""Whether a device and the network believe the same of the device's radio."""

from typing import Any

from lns.mac.radio import Radio
from simulators.maccommands.state import MacState
from tests.network.pair import Pair

UNDER_WAY = {
    "rx_timing": {"rx1_delay_s"},
    "rx_param": {"rx1_dr_offset", "rx2"},
    "link_adr": {"dr", "tx_power", "nb_trans", "mask"},
    "new_channel": {"channels", "mask", "moved"},
    "dl_channel": {"moved"},
    "tx_param": {"dwell"},
    "duty_cycle": {"max_duty_cycle"},
    "adr_param": {"adr_ack"},
    "rejoin_param": {"rejoin"},
    "ping_slot": {"ping_slot"},
    "beacon_freq": {"beacon_freq_hz"},
}
"""What a request that is not answered yet may have changed on the device."""


def agree(pair: Pair, but: frozenset[str] = frozenset()) -> None:
    """Both sides have the same channels, data rate, power, repetitions and receive windows, `but` what is named.

    What the device was asked and has not answered is open.
    """
    for family in pair.session.known_radio().asked:
        but |= UNDER_WAY.get(family, set())
    ours = {name: value for name, value in believed(pair).items() if name not in but}
    assert ours == real(pair.device.mac, ours)


def believed(pair: Pair) -> dict[str, Any]:
    """What the network takes for granted. A data rate that it never asked for is the device's own affair."""
    session = pair.session
    radio = session.known_radio()
    region = session.device.region
    return {
        "rx1_delay_s": session.rx1_delay_s,
        "rx1_dr_offset": session.rx1_dr_offset,
        "rx2": (session.rx2_freq_hz, session.rx2_dr),
        **_commanded(radio),
        **({"channels": _channels(radio.channels), "moved": radio.dl_freq_hz} if region.plan == "dynamic" else {}),
        "mask": radio.mask,
        "nb_trans": radio.nb_trans,
        "max_duty_cycle": radio.max_duty_cycle,
        "dwell": (radio.uplink_dwell, radio.downlink_dwell),
        "adr_ack": (1 << radio.adr_ack_limit_exp, 1 << radio.adr_ack_delay_exp),
        "rejoin": (radio.rejoin_time_n, radio.rejoin_count_n),
        "ping_slot": (radio.ping_slot_freq_hz or 0, radio.ping_slot_dr),
        "beacon_freq_hz": radio.beacon_freq_hz or 0,
    }


def _commanded(radio: Radio) -> dict[str, Any]:
    return {} if radio.dr is None else {"dr": radio.dr, "tx_power": radio.tx_power}


def real(mac: MacState, like: dict[str, Any]) -> dict[str, Any]:
    """What the device does, as far as `like` speaks of it."""
    values = {
        "rx1_delay_s": mac.rx1_delay_s,
        "rx1_dr_offset": mac.rx1_dr_offset,
        "rx2": (mac.rx2_freq_hz, mac.rx2_dr),
        "dr": mac.data_rate,
        "tx_power": mac.tx_power,
        "channels": _channels(mac.plan.channels),
        "moved": mac.plan.rx1_freq_hz,
        "mask": mac.plan.mask,
        "nb_trans": mac.nb_trans,
        "max_duty_cycle": mac.max_duty_cycle,
        "dwell": (mac.uplink_dwell, mac.downlink_dwell),
        "adr_ack": (mac.adr_ack_limit, mac.adr_ack_delay),
        "rejoin": (mac.rejoin_time_n, mac.rejoin_count_n),
        "ping_slot": (mac.ping_slot_freq_hz, mac.ping_slot_dr),
        "beacon_freq_hz": mac.beacon_freq_hz,
    }
    return {name: values[name] for name in like}


def _channels(channels: dict[int, Any]) -> dict[int, tuple[int, int, int]]:
    return {index: (channel.freq_hz, channel.min_dr, channel.max_dr) for index, channel in channels.items()}
