"""What a device owes the network in FOpts: answers, those that are sticky, and its own requests. Pure."""

from lns.lorawan.commands import encode_command
from simulators.misbehaviour import Lapses

_ONCE = ""
_UNTIL_DOWNLINK = "downlink"


class Answers:
    """Encoded commands that wait for the next uplink, each with what ends its repetition: once, a downlink, a Conf."""

    __slots__ = ("_lapses", "_sticky", "_waiting")

    def __init__(self, sticky: frozenset[str] = frozenset(), lapses: Lapses | None = None) -> None:
        self._sticky = sticky
        self._lapses = lapses or Lapses()
        self._waiting: list[tuple[str, bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, name: str, **fields: int | bool) -> None:
        """An answer, unless it is one of those that the device loses."""
        if self._lapses.loses_answer():
            return
        until = _UNTIL_DOWNLINK if name in self._sticky else _ONCE
        self._waiting.append((until, encode_command(name, uplink=True, **fields)))

    def ask(self, name: str, settled_by: str, **fields: int) -> None:
        """A request of the device that every uplink repeats until the network's `settled_by` comes; it goes first."""
        self.settle(settled_by)
        self._waiting.insert(0, (settled_by, encode_command(name, uplink=True, **fields)))

    def settle(self, settled_by: str) -> None:
        """The network's answer to a request of the device came."""
        self._waiting = [(until, command) for until, command in self._waiting if until != settled_by]

    def asks_for(self, settled_by: str) -> bool:
        """Whether a request still waits for this answer."""
        return any(until == settled_by for until, _ in self._waiting)

    def take(self, room: int) -> bytes:
        """As many commands as fit into `room` octets, in order; what is sent once is gone, fitting or not."""
        fitting = b""
        for _, command in self._waiting:
            if len(fitting) + len(command) > room:
                break
            fitting += command
        self._waiting = [(until, command) for until, command in self._waiting if until != _ONCE]
        return fitting

    def heard(self) -> None:
        """A downlink came in RX1 or RX2: the network has the sticky answers."""
        self._waiting = [(until, command) for until, command in self._waiting if until != _UNTIL_DOWNLINK]

    def clear(self) -> None:
        """A new session owes nothing."""
        self._waiting.clear()
