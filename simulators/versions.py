"""What the versions of LoRaWAN have a device do differently: a row a version. Pure."""

from enum import Enum

import msgspec

_SINCE_1_0_2 = frozenset({"TXParamSetupReq", "DlChannelReq"})
_SINCE_1_0_3 = frozenset({"DeviceTimeAns"})
_ONLY_1_1 = frozenset(
    {"ResetConf", "RekeyConf", "ADRParamSetupReq", "ForceRejoinReq", "RejoinParamSetupReq", "DeviceModeConf"}
)


class LinkAdrAnswers(Enum):
    """How adjacent LinkADRReq of one downlink are understood and answered."""

    EACH_ALONE = "each alone"  # each is judged, applied and answered by itself
    EACH_THE_SAME = "each the same"  # judged as one, answered once for each
    ONE = "one"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One row; `sticky` answers are repeated in every uplink until the device hears a downlink in RX1 or RX2."""

    name: str
    unknown: frozenset[str]  # commands of other versions: the device reads a downlink's commands up to the first
    sticky: frozenset[str] = frozenset({"RXParamSetupAns", "RXTimingSetupAns", "DlChannelAns"})
    link_adr: LinkAdrAnswers = LinkAdrAnswers.EACH_THE_SAME
    keeps_15: bool = False  # DataRate and TXPower 15 of a LinkADRReq leave the present value
    keeps_nb_trans_0: bool = False  # else 0 is the default, 1
    repeats_confirmed: bool = False  # NbTrans counts for confirmed uplinks too
    cflist_masks: bool = True  # a CFList of type 1 is understood
    off_at_255: bool = False  # DutyCycleReq 255 switches the device off
    counts_dev_nonces: bool = False  # else they are random
    minor: int = 0  # 1: has a NwkKey, and sessions of 1.1 where the network grants them


VERSIONS = {
    version.name: version
    for version in (
        Version(
            name="1.0.0",
            unknown=_SINCE_1_0_2 | _SINCE_1_0_3 | _ONLY_1_1,
            sticky=frozenset(),
            link_adr=LinkAdrAnswers.EACH_ALONE,
            cflist_masks=False,
            off_at_255=True,
        ),
        Version(
            name="1.0.1",
            unknown=_SINCE_1_0_2 | _SINCE_1_0_3 | _ONLY_1_1,
            sticky=frozenset({"RXParamSetupAns", "RXTimingSetupAns"}),
            link_adr=LinkAdrAnswers.EACH_ALONE,
            cflist_masks=False,
        ),
        Version(name="1.0.2", unknown=_SINCE_1_0_3 | _ONLY_1_1, cflist_masks=False),
        Version(name="1.0.3", unknown=_ONLY_1_1),
        Version(
            name="1.0.4",
            unknown=_ONLY_1_1,
            sticky=frozenset(
                {"RXParamSetupAns", "RXTimingSetupAns", "DlChannelAns", "TXParamSetupAns", "PingSlotChannelAns"}
            ),
            keeps_15=True,
            repeats_confirmed=True,
            counts_dev_nonces=True,
        ),
        Version(
            name="1.1",
            unknown=frozenset(),
            link_adr=LinkAdrAnswers.ONE,
            keeps_15=True,
            keeps_nb_trans_0=True,
            repeats_confirmed=True,
            counts_dev_nonces=True,
            minor=1,
        ),
    )
}
DEFAULT = VERSIONS["1.0.3"]


def version(name: str) -> Version:
    """The version called `name`. ValueError names the known ones."""
    try:
        return VERSIONS[name]
    except KeyError:
        raise ValueError(f"lorawan version {name!r} is not known, {', '.join(VERSIONS)} are") from None
