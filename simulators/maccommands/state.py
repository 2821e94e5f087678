"""The radio parameters of a device that MAC commands change, and the network's answers to its own requests. Pure."""

import msgspec

from lns.lorawan.phy import JoinAccept
from lns.lorawan.regions.region import Region
from simulators.channels import ChannelPlan
from simulators.firmware import ORDINARY, Firmware
from simulators.misbehaviour import Lapses, Misbehaviour

BATTERY = 200  # of 254


class ForcedRejoin(msgspec.Struct, frozen=True):
    """A ForceRejoinReq: rejoin-requests of `rejoin_type` at `dr`, the first at once and `max_retries` more.

    Between two of them are 32 s times 2**period, and up to 32 s more.
    """

    rejoin_type: int
    dr: int
    period: int
    max_retries: int


class MacState:
    """What holds for the next uplink and its windows. A join starts it anew but for what the user chose."""

    def __init__(self, plan: ChannelPlan, data_rate: int, firmware: Firmware = ORDINARY) -> None:
        self.plan = plan
        self.version = firmware.version
        self.lapses = Lapses(firmware.misbehaviour)
        self.adr = False  # the device lets the network choose data rate and power
        self.battery = BATTERY
        self.last_snr_db = 8  # of the last downlink, as DevStatusAns reports it
        self.link_check: tuple[int, int] | None = None  # margin in dB, gateways
        self.gps_time_s: float | None = None  # at the end of the uplink that asked
        self.join_freq_hz: int | None = None  # of the join-request that the session began with
        self._first_data_rate = data_rate
        self.reset()

    def reset(self) -> None:
        """The defaults of the region, as before a join-accept or after ResetConf."""
        region = self.plan.region
        self.plan.reset()
        self.data_rate = self._first_data_rate
        self.tx_power = 0
        self.nb_trans = 1
        self.max_duty_cycle = 0
        self.is_off = False  # until somebody presses its button
        self.rx1_delay_s = 1
        self.rx1_dr_offset = 0
        self.rx2_freq_hz = region.rx2_freq_hz
        self.rx2_dr = region.rx2_dr
        self.uplink_dwell = region.uplink_dwell_400ms
        self.downlink_dwell = region.downlink_dwell_400ms
        self.max_eirp_dbm = region.max_eirp_dbm
        self.adr_ack_cnt = 0  # uplinks since the last downlink
        self.adr_ack_limit = 64
        self.adr_ack_delay = 32
        self.rejoin_time_n: int | None = None  # a rejoin-request every 2**(n + 10) s
        self.rejoin_count_n: int | None = None  # and every 2**(n + 4) uplinks
        self.forced_rejoin: ForcedRejoin | None = None
        self.device_class = "A"
        self.ping_periodicity: int | None = None  # that class B is wanted with: a slot every 2**n s
        self.ping_slot_freq_hz = 0  # 0: the region's
        self.ping_slot_dr = region.class_b.ping_slot_dr
        self.beacon_freq_hz = 0  # 0: the region's

    @property
    def region(self) -> Region:
        return self.plan.region

    @property
    def misbehaviour(self) -> Misbehaviour:
        return self.lapses.misbehaviour

    def start(self, accept: JoinAccept, join_freq_hz: int | None = None) -> None:
        """Take the parameters of a join-accept; `join_freq_hz` is where the join-request was sent."""
        self.reset()
        self.join_freq_hz = join_freq_hz
        self.rx1_delay_s = accept.rx_delay or 1  # 0 means 1 s
        self.rx1_dr_offset = accept.rx1_dr_offset
        if join_freq_hz is not None:
            self.rx2_freq_hz, _ = self.region.session_rx2(join_freq_hz)
        self.rx2_dr = accept.rx2_data_rate
        if accept.cflist and (accept.cflist[15] != 1 or self.version.cflist_masks):
            self.plan.use_cflist(accept.cflist)

    def may_use(self, dr: int) -> bool:
        """Whether uplinks at `dr` exist under the present dwell time limit."""
        return self.region.max_macpayload(dr, dwell=self.uplink_dwell) is not None
