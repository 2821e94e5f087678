"""What a family of MAC commands is: one request of the network, its answer, and what both mean."""

from collections.abc import Callable
from typing import Any

import msgspec

from lns.lorawan.commands import encode_command, parse_commands
from lns.lorawan.regions.region import Region
from lns.mac.radio import Radio
from lns.mac.session import Session
from lns.mac.settings import MacSettings, RegionSettings

VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1")
_RANK = {version: rank for rank, version in enumerate(VERSIONS)}
_FALLBACK = _RANK["1.0.2"]
"""A 1.1 device in a session of 1.0 is only asked what every later 1.0.x knows."""

Fields = dict[str, Any]


class View(msgspec.Struct, frozen=True):
    """What a family looks at to know what it wants."""

    session: Session
    radio: Radio
    network: RegionSettings
    now_us: int

    @property
    def settings(self) -> MacSettings:
        return self.session.device.settings

    @property
    def region(self) -> Region:
        return self.session.device.region


class Answered(msgspec.Struct, frozen=True):
    """A request (`octets`, one command or several) and what the device said of it in an uplink."""

    session: Session
    radio: Radio
    octets: bytes
    answers: list[Fields]
    fcnt_up: int
    at_us: int

    @property
    def region(self) -> Region:
        return self.session.device.region

    @property
    def requests(self) -> list[Fields]:
        """The fields of the requests."""
        return [command.fields for command in parse_commands(self.octets, uplink=False)[0]]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the dialogue.

    `wanted` gives the octets of what the device should be asked, none when it has what it should. `settle` takes the
    answers into the session and returns the values that were refused. `answer` None: the device never answers.
    From `sticky_since` on, the answer is repeated until the device hears a downlink. `by_hand`: people may ask it too.
    """

    name: str
    request: str
    answer: str | None
    wanted: Callable[[View], bytes]
    settle: Callable[[Answered], tuple[str, ...]]
    since: str = "1.0.0"
    sticky_since: str | None = None
    block: bool = False
    by_hand: bool = False

    def known_to(self, session: Session) -> bool:
        """Whether the device's version has this command."""
        return rank(session) >= _RANK[self.since]

    def sticky(self, session: Session) -> bool:
        return self.sticky_since is not None and rank(session) >= _RANK[self.sticky_since]


class Reply(msgspec.Struct, frozen=True):
    """What a request of the device brings about: octets for it, an event for people, something to store."""

    answer: bytes = b""
    event: tuple[str, Fields] | None = None
    changed: bool = False


IGNORED = Reply()


def rank(session: Session) -> int:
    """The place in VERSIONS of what the device does in this session."""
    found = _RANK[session.device.lorawan_version]
    return _FALLBACK if found == _RANK["1.1"] and session.minor == 0 else found


def at_least(session: Session, version: str) -> bool:
    """Whether the device does in this session what came with `version`."""
    return rank(session) >= _RANK[version]


def request(name: str, **fields: int | bool) -> bytes:
    """A request of the network, encoded."""
    return encode_command(name, uplink=False, **fields)


def coded_hz(region: Region, freq_hz: int) -> int:
    """A frequency as the command table takes it, in steps of 100 Hz; at 2.4 GHz the steps on the air are 200 Hz."""
    return freq_hz // region.freq_step_hz * 100


def real_hz(region: Region, coded: int) -> int:
    """The frequency that a command table's value stands for."""
    return coded // 100 * region.freq_step_hz
