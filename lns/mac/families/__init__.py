"""The families of MAC commands, and the requests of devices that the network answers."""

from collections.abc import Callable

from lns.mac.families.adr_param import ADR_PARAM
from lns.mac.families.beacon_freq import BEACON_FREQ
from lns.mac.families.channels import DL_CHANNEL, NEW_CHANNEL
from lns.mac.families.dev_status import DEV_STATUS
from lns.mac.families.device_mode import device_mode
from lns.mac.families.duty_cycle import DUTY_CYCLE
from lns.mac.families.family import Family, Fields, Reply
from lns.mac.families.link_adr import LINK_ADR
from lns.mac.families.ping_slot import PING_SLOT, ping_slot_info
from lns.mac.families.rejoin_param import FORCE_REJOIN, REJOIN_PARAM
from lns.mac.families.rx_param import RX_PARAM
from lns.mac.families.rx_timing import RX_TIMING
from lns.mac.families.tx_param import TX_PARAM
from lns.mac.families.version import rekey, reset
from lns.mac.session import Session

FAMILIES: tuple[Family, ...] = (
    FORCE_REJOIN,
    RX_TIMING,
    RX_PARAM,
    TX_PARAM,
    NEW_CHANNEL,
    LINK_ADR,
    DL_CHANNEL,
    PING_SLOT,
    BEACON_FREQ,
    DUTY_CYCLE,
    ADR_PARAM,
    REJOIN_PARAM,
    DEV_STATUS,
)
"""The most urgent first: what decides whether device and network hear each other, then what makes it better."""
BY_NAME = {family.name: family for family in FAMILIES}
BY_ANSWER = {family.answer: family for family in FAMILIES if family.answer is not None}
BY_REQUEST = {family.request: family for family in FAMILIES}

OF_DEVICES: dict[str, Callable[[Session, Fields], Reply]] = {
    "ResetInd": reset,
    "RekeyInd": rekey,
    "PingSlotInfoReq": ping_slot_info,
    "DeviceModeInd": device_mode,
}
"""Requests of devices; LinkCheckReq and DeviceTimeReq, which need the receptions, are in lns/mac/answers.py."""
