"""ForceRejoinReq and RejoinParamSetupReq of LoRaWAN 1.1. Pure."""

from functools import partial

from simulators.maccommands.judged import Fields, Judged
from simulators.maccommands.state import ForcedRejoin, MacState


def force_rejoin(mac: MacState, fields: Fields) -> None:
    """There is no answer but the rejoin-request itself. Types 0 and 1 both ask for a rejoin-request of type 0."""
    rejoin_type = 2 if fields["rejoin_type"] == 2 else 0
    mac.forced_rejoin = ForcedRejoin(rejoin_type, fields["dr"], fields["period"], fields["max_retries"])


def rejoin_param_setup(mac: MacState, fields: Fields) -> Judged:
    """The count is taken even by a device without a clock, which answers TimeOK 0; this one has a clock."""
    mac.rejoin_count_n = fields["max_count_n"]
    return Judged(
        "RejoinParamSetupAns", {"time_ok": True}, partial(setattr, mac, "rejoin_time_n", fields["max_time_n"])
    )
