"""What a class A device does with the network's MAC commands, and the answers it owes. Pure."""

from collections.abc import Sequence
from itertools import groupby

from lns.lorawan.commands import Command, encode_command, parse_commands
from lns.lorawan.phy import JoinAccept
from simulators.channels import ChannelPlan

BATTERY = 200  # of 254
_STICKY = {"RXParamSetupAns", "RXTimingSetupAns", "DlChannelAns"}
"""Answers that are repeated in every uplink until the device hears a downlink (LoRaWAN 1.0.2 and later)."""


class Answers:
    """Encoded answers that wait for the next uplink."""

    def __init__(self) -> None:
        self._waiting: list[tuple[bool, bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, name: str, **fields: int | bool) -> None:
        self._waiting.append((name in _STICKY, encode_command(name, uplink=True, **fields)))

    def take(self, room: int) -> bytes:
        """As many answers as fit into `room` octets, in order; the sticky ones stay, the others are gone."""
        fitting = b""
        for _, answer in self._waiting:
            if len(fitting) + len(answer) > room:
                break
            fitting += answer
        self._waiting = [(sticky, answer) for sticky, answer in self._waiting if sticky]
        return fitting

    def heard(self) -> None:
        """A downlink came: the network has the sticky answers."""
        self._waiting.clear()


class MacState:
    """Radio parameters that MAC commands change, and the last answers to the device's own requests."""

    def __init__(self, plan: ChannelPlan, data_rate: int) -> None:
        self.plan = plan
        self.data_rate = data_rate
        self.tx_power = 0
        self.nb_trans = 1
        self.max_duty_cycle = 0
        self.rx1_delay_s = 1
        self.rx1_dr_offset = 0
        self.rx2_freq_hz = plan.region.rx2_freq_hz
        self.rx2_dr = plan.region.rx2_dr
        self.last_snr_db = 8  # of the last downlink, as DevStatusAns reports it
        self.link_check: tuple[int, int] | None = None  # margin in dB, gateways
        self.gps_time_s: float | None = None

    def start(self, accept: JoinAccept) -> None:
        """Take the parameters of a join-accept."""
        self.rx1_delay_s = accept.rx_delay or 1  # 0 means 1 s
        self.rx1_dr_offset = accept.rx1_dr_offset
        self.rx2_dr = accept.rx2_data_rate
        self.rx2_freq_hz = self.plan.region.rx2_freq_hz
        if accept.cflist:
            self.plan.use_cflist(accept.cflist)

    def handle(self, octets: bytes, answers: Answers) -> tuple[str, ...]:
        """Act on the commands of one downlink, add what they ask for to `answers`, and name them."""
        commands, _ = parse_commands(octets, uplink=False)
        for is_link_adr, group in groupby(commands, lambda command: command.name == "LinkADRReq"):
            block = list(group)
            if is_link_adr:
                self._link_adr(block, answers)
                continue
            for command in block:
                self._handle(command, answers)
        return tuple(command.name for command in commands)

    def _link_adr(self, block: Sequence[Command], answers: Answers) -> None:
        judged = self.plan.link_adr(block, self.data_rate, self.tx_power)
        if judged.accepted:
            self.plan.mask = judged.mask
            self.data_rate, self.tx_power, self.nb_trans = judged.data_rate, judged.tx_power, judged.nb_trans
        for _ in block:  # 1.0.2 to 1.0.4: one answer for each command of the block, all the same
            answers.add(
                "LinkADRAns",
                channel_mask_ack=judged.channel_mask_ack,
                data_rate_ack=judged.data_rate_ack,
                power_ack=judged.power_ack,
            )

    def _handle(self, command: Command, answers: Answers) -> None:
        fields = command.fields
        match command.name:
            case "LinkCheckAns":
                self.link_check = fields["margin"], fields["gw_cnt"]
            case "DeviceTimeAns":
                self.gps_time_s = fields["gps_seconds"] + fields["fraction_256"] / 256
            case "DutyCycleReq":
                self.max_duty_cycle = fields["max_duty_cycle"]
                answers.add("DutyCycleAns")
            case "DevStatusReq":
                answers.add("DevStatusAns", battery=BATTERY, margin=self.last_snr_db)
            case "RXTimingSetupReq":
                self.rx1_delay_s = fields["delay"] or 1
                answers.add("RXTimingSetupAns")
            case "RXParamSetupReq":
                self._rx_param_setup(fields["rx1_dr_offset"], fields["rx2_data_rate"], fields["frequency_hz"], answers)
            case "NewChannelReq" if self.plan.region.plan == "dynamic":  # a fixed plan does not answer
                ok = self.plan.new_channel(
                    fields["ch_index"], fields["frequency_hz"], fields["min_dr"], fields["max_dr"]
                )
                answers.add("NewChannelAns", channel_frequency_ok=ok[0], data_rate_range_ok=ok[1])
            case "DlChannelReq" if self.plan.region.plan == "dynamic":
                exists = fields["ch_index"] in self.plan.channels
                allowed = self.plan.region.uplink_channel_allowed(fields["frequency_hz"])
                if exists and allowed:
                    self.plan.rx1_freq_hz[fields["ch_index"]] = fields["frequency_hz"]
                answers.add("DlChannelAns", channel_frequency_ok=allowed, uplink_frequency_exists=exists)
            case _:
                pass  # TXParamSetupReq is not for these regions, the rest is class B or 1.1

    def _rx_param_setup(self, offset: int, rx2_dr: int, freq_hz: int, answers: Answers) -> None:
        region = self.plan.region
        offset_ok = offset < len(region.rx1_dr[0])
        dr_ok = region.max_macpayload(rx2_dr, downlink=True) is not None
        if region.plan == "fixed":
            freq_ok = freq_hz in region.downlink_channels_hz
        else:
            freq_ok = region.uplink_channel_allowed(freq_hz)
        if offset_ok and dr_ok and freq_ok:
            self.rx1_dr_offset, self.rx2_dr, self.rx2_freq_hz = offset, rx2_dr, freq_hz
        answers.add("RXParamSetupAns", channel_ack=freq_ok, rx2_data_rate_ack=dr_ok, rx1_dr_offset_ack=offset_ok)
