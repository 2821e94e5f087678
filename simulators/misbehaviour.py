"""What a device does wrong on purpose: the faults of real ones that a network has to live with. Pure.

Everything is counted, nothing drawn by lot, so that a test knows what happens when.
"""

from collections.abc import Sequence

import msgspec


class Misbehaviour(msgspec.Struct, frozen=True, kw_only=True):
    """The default is a device without fault; numbers called `..._every` are 0 for never."""

    refuses: frozenset[str] = frozenset()  # MAC requests that are answered with every bit 0, such as LinkADRReq
    ignores: frozenset[str] = frozenset()  # MAC requests that are neither answered nor applied
    loses_answer_every: int = 0  # this answer is applied, but never sent
    misses_downlink_every: int = 0  # this downlink is not heard although it meets a window
    repeats_dev_nonce: bool = False  # every join-request has the DevNonce of the first
    resets_counters_every: int = 0  # uplinks after which both counters start at 0 again under the same keys
    skips_counters: int = 0  # counters that are left out after every uplink
    clock_drift_ppm: float = 0.0  # parts per million: above 0, its receive windows open late


HONEST = Misbehaviour()


class Lapses:
    """The counts of one device under its `misbehaviour`."""

    __slots__ = ("_answers", "_downlinks", "misbehaviour")

    def __init__(self, misbehaviour: Misbehaviour = HONEST) -> None:
        self.misbehaviour = misbehaviour
        self._answers = 0
        self._downlinks = 0

    def loses_answer(self) -> bool:
        """Whether the next answer is lost."""
        self._answers += 1
        return _is_due(self._answers, self.misbehaviour.loses_answer_every)

    def misses_downlink(self) -> bool:
        """Whether the next downlink is missed."""
        self._downlinks += 1
        return _is_due(self._downlinks, self.misbehaviour.misses_downlink_every)

    def resets_counters(self, fcnt_up: int) -> bool:
        """Whether the device forgets its counters before it sends `fcnt_up`."""
        return fcnt_up > 0 and _is_due(fcnt_up, self.misbehaviour.resets_counters_every)


REQUESTS = frozenset(
    {
        "LinkADRReq",
        "DutyCycleReq",
        "RXParamSetupReq",
        "DevStatusReq",
        "NewChannelReq",
        "RXTimingSetupReq",
        "TXParamSetupReq",
        "DlChannelReq",
        "ADRParamSetupReq",
        "ForceRejoinReq",
        "RejoinParamSetupReq",
        "PingSlotChannelReq",
        "BeaconFreqReq",
    }
)
"""The MAC commands by which a network asks something of a device."""

_LISTS = {"refuse": "refuses", "ignore": "ignores"}
_NUMBERS = {
    "lose-answers": "loses_answer_every",
    "miss-downlinks": "misses_downlink_every",
    "reset-counters": "resets_counters_every",
    "skip-counters": "skips_counters",
}
WORDS = (
    *(f"{word}=COMMAND,.." for word in _LISTS),
    *(f"{word}=N" for word in _NUMBERS),
    "repeat-nonce",
    "drift=PPM",
)


def parse_misbehaviour(words: Sequence[str]) -> Misbehaviour:
    """Misbehaviour in words such as `refuse=LinkADRReq,NewChannelReq`, `lose-answers=3`. ValueError names a bad one."""
    values: dict[str, object] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name in _LISTS:
            values[_LISTS[name]] = commands = frozenset(value.split(","))
            if unknown := commands - REQUESTS:
                raise ValueError(f"misbehaviour {word!r}: {min(unknown)} is no request of a network")
        elif name in _NUMBERS and value.isdecimal():
            values[_NUMBERS[name]] = int(value)
        elif word == "repeat-nonce":
            values["repeats_dev_nonce"] = True
        elif name == "drift" and _is_number(value):
            values["clock_drift_ppm"] = float(value)
        else:
            raise ValueError(f"misbehaviour {word!r} is not known, {', '.join(WORDS)} are")
    return msgspec.convert(values, Misbehaviour)


def _is_due(count: int, every: int) -> bool:
    return every > 0 and count % every == 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
