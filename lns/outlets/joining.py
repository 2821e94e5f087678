"""Gives a format what it needs: a decoded record together with the uplink that it was made of."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Decoded, Stored, Uplink
from lns.outlets.formats.outgoing import Format, withheld

UPLINKS_KEPT = 5000
"""Uplinks that wait for their decoded record in memory; older ones are read from the exchange."""

FindRecord = Callable[[int], Awaitable[Stored | None]]
"""Gives the record at a seq, None when retention has dropped it."""


class Joining:
    """Renders records in one format. `find` reads the exchange."""

    def __init__(self, form: Format, find: FindRecord) -> None:
        self._format, self._find = form, find
        self._uplinks: OrderedDict[int, Uplink] = OrderedDict()

    def forget(self) -> None:
        """Look the names of devices and applications up again."""
        self._format.forget()

    def events(self, stored: Stored) -> frozenset[str]:
        """What the messages of a record may be; an uplink is remembered until it is decoded."""
        if isinstance(stored.record, Uplink) and self._format.joins:
            self._uplinks[stored.seq] = stored.record
            if len(self._uplinks) > UPLINKS_KEPT:
                self._uplinks.popitem(last=False)
        return self._format.events(stored)

    async def messages(self, stored: Stored) -> list[Outgoing]:
        """The messages of a record. ValueError: it cannot be put into JSON, or its uplink is gone."""
        record = stored.record
        if not isinstance(record, Decoded) or not self._format.joins or withheld(record):
            return self._format.messages(stored, None)
        uplink = self._uplinks.pop(record.uplink_seq, None)
        if uplink is None:  # after a restart, or of a decoder that lags
            found = await self._find(record.uplink_seq)
            if found is None or not isinstance(found.record, Uplink):
                raise ValueError(f"uplink {record.uplink_seq} is not in the exchange any more")
            uplink = found.record
        return self._format.messages(stored, uplink)
