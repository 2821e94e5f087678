"""Messages that were just written down, so that they need not be read back to be sent.

What is not here is in the table: there is a bound, and the oldest go first.
"""

from collections.abc import Iterable, Sequence

from lns.delivery.lanes import Item
from lns.delivery.outcome import Outgoing
from lns.delivery.rows import Claimed

MOST_BYTES = 32_000_000
_MESSAGE_BYTES = 500  # of a message beside its body


class Fresh:
    """Of all outlets together. Whatever changes a delivery in the table makes it forgotten here first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: dict[int, tuple[str, Claimed]] = {}
        self.changes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, outlet: str, items: Sequence[Item], messages: Sequence[Outgoing]) -> None:
        """New deliveries, which nobody has tried yet, and their messages."""
        for item, message in zip(items, messages, strict=True):
            self._kept[item.id] = outlet, Claimed(item.id, 0, 0, item.due_us, message)
            self._bytes += _size(message)
        while self._bytes > self._most_bytes:
            self._pop(next(iter(self._kept)))

    def take(self, ids: Iterable[int]) -> list[Claimed]:
        """Those of the ids that are here; they are forgotten."""
        return [claimed for id_ in ids if (claimed := self._pop(id_)) is not None]

    def forget(self, ids: Iterable[int]) -> None:
        """They change in the table. What is on its way there counts as changed too: see `changes`."""
        self.changes += 1
        self.take(ids)

    def forget_outlet(self, outlet: str) -> None:
        """Nothing of it is to be sent any more."""
        self.forget([id_ for id_, (whose, _) in self._kept.items() if whose == outlet])

    def _pop(self, id_: int) -> Claimed | None:
        found = self._kept.pop(id_, None)
        if found is None:
            return None
        self._bytes -= _size(found[1].message)
        return found[1]


def _size(message: Outgoing) -> int:
    return _MESSAGE_BYTES + len(message.body)
