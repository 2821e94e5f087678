"""How the network treats a kind of device: what a device template says, and a device may say otherwise.

None means: as the region or the network has it, so nothing is asked of the device.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Dr = Annotated[int, Meta(ge=0, le=15)]
TxPower = Annotated[int, Meta(ge=0, le=15)]
NbTrans = Annotated[int, Meta(ge=1, le=15)]
FreqHz = Annotated[int, Meta(ge=1_000_000, le=2_500_000_000)]


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class AdrSettings(_Settings, frozen=True):
    """Adaptive data rate, for devices that set the ADR bit."""

    # "margin": best SNR of 20 uplinks; "gateways": all gateways' history; "static": the three values below; "off"
    algorithm: Literal["margin", "gateways", "static", "off"] = "margin"
    # kept in hand above the demodulation floor
    margin_db: Annotated[float, Meta(ge=0, le=40)] = 10.0
    # bounds; the region's where None
    min_dr: Dr | None = None
    max_dr: Dr | None = None
    # largest TXPower index asked for, that is the least power; the region's where None
    max_tx_power: TxPower | None = None
    # most transmissions of an uplink
    max_nb_trans: NbTrans = 3
    # a device that moves is left alone: its past says nothing of where it is
    mobile: bool = False
    # asked once and kept by "static"; None leaves that one as it is
    static_dr: Dr | None = None
    static_tx_power: TxPower | None = None
    static_nb_trans: NbTrans | None = None


class MacSettings(_Settings, frozen=True):
    """Everything of the MAC layer that people may set."""

    # the highest class the device may use; 1.0.x devices of class C listen at once, 1.1 ones say so by DeviceModeInd
    device_class: Literal["A", "B", "C"] = "A"
    adr: AdrSettings = AdrSettings()
    # asked of the device by RXTimingSetupReq and RXParamSetupReq where they differ from what it has
    rx1_delay_s: Annotated[int, Meta(ge=1, le=15)] | None = None
    rx1_dr_offset: Annotated[int, Meta(ge=0, le=7)] | None = None
    rx2_dr: Dr | None = None
    rx2_freq_hz: FreqHz | None = None
    # aggregated duty cycle 1 / 2**n of the device (DutyCycleReq)
    max_duty_cycle: Annotated[int, Meta(ge=0, le=15)] | None = None
    # TXParamSetupReq, in the regions that have it
    uplink_dwell_400ms: bool | None = None
    downlink_dwell_400ms: bool | None = None
    max_eirp_dbm: Annotated[float, Meta(ge=8, le=36)] | None = None
    # DevStatusReq after so much time and so many uplinks, whichever comes first; 0 never
    dev_status_interval_s: Annotated[int, Meta(ge=0, le=31_536_000)] = 86_400
    dev_status_uplinks: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    # ADRParamSetupReq (1.1): 2**n uplinks
    adr_ack_limit_exp: Annotated[int, Meta(ge=0, le=15)] | None = None
    adr_ack_delay_exp: Annotated[int, Meta(ge=0, le=15)] | None = None
    # RejoinParamSetupReq (1.1): every 2**(n+10) s, every 2**(n+4) uplinks
    rejoin_max_time_n: Annotated[int, Meta(ge=0, le=15)] | None = None
    rejoin_max_count_n: Annotated[int, Meta(ge=0, le=15)] | None = None
    # class B
    ping_slot_dr: Dr | None = None
    ping_slot_freq_hz: FreqHz | None = None
    beacon_freq_hz: FreqHz | None = None
    class_b_timeout_s: Annotated[float, Meta(ge=1, le=3600)] = 8.0
    # class C
    class_c_timeout_s: Annotated[float, Meta(ge=1, le=3600)] = 8.0
    # how often a confirmed downlink is sent before it counts as not acknowledged
    confirmed_attempts: Annotated[int, Meta(ge=1, le=15)] = 3
    # TS003 on FPort 202 is answered by the server
    clock_sync: bool = True
    # what an ABP device has from its factory, beside the region's default channels
    factory_channels_hz: tuple[FreqHz, ...] = ()
    # a 1.1 device from before the erratum on the encryption of FOpts
    fopts_before_erratum: bool = False


DEFAULT = MacSettings()


class RegionSettings(_Settings, frozen=True):
    """How a network uses one region. Devices learn it with the join-accept, or by MAC commands where they did not."""

    # channels given beside the region's default ones, where a plan can have more (the first five by the join-accept)
    extra_channels_hz: tuple[FreqHz, ...] = ()
    # channels 8(n-1) to 8n-1 of a fixed plan, and the n-th 500 kHz channel where there are such; 0 uses all
    sub_band: Annotated[int, Meta(ge=0, le=12)] = 0
    # RECEIVE_DELAY1 in seconds
    rx1_delay_s: Annotated[int, Meta(ge=1, le=15)] = 1
    # RX1 data rate offset
    rx1_dr_offset: Annotated[int, Meta(ge=0, le=7)] = 0
    # data rate of RX2; the region's where not given
    rx2_dr: Dr | None = None
    # frequency of RX2, told by RXParamSetupReq after the join; the region's where not given
    rx2_freq_hz: FreqHz | None = None
    # power of gateways, EIRP; the region's limit where not given
    gateway_eirp_dbm: Annotated[float, Meta(ge=-30, le=40)] | None = None
    # dwell time limit of uplinks told by TXParamSetupReq, where the region has it; its boot default where not given
    uplink_dwell_400ms: bool | None = None
    # the same of downlinks
    downlink_dwell_400ms: bool | None = None
    # keep gateways within the duty cycle of their sub-bands; off for a laboratory with dummy loads only
    duty_cycle: bool = True
