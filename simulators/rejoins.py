"""When a 1.1 device sends rejoin-requests: forced ones, by time, by uplinks. Pure; times are UTC in microseconds."""

from simulators.maccommands.state import ForcedRejoin, MacState

_BETWEEN_FORCED_US = 32_000_000


class Rejoins:
    """Reads what ForceRejoinReq and RejoinParamSetupReq left in `mac`."""

    def __init__(self, mac: MacState, now_us: int) -> None:
        self._mac = mac
        self._since_us = now_us  # the last rejoin-request, or the start of the session
        self._uplinks = 0  # since then
        self._forced: ForcedRejoin | None = None  # that is being carried out
        self._forced_at_us = now_us
        self._forced_left = 0

    def started(self, now_us: int) -> None:
        """A session began."""
        self._since_us, self._uplinks, self._forced = now_us, 0, None

    def uplink(self) -> None:
        """An uplink was sent."""
        self._uplinks += 1

    def deadline_us(self) -> int | None:
        """When the next rejoin-request is due; it may be in the past."""
        self._look()
        found = [self._forced_at_us] if self._forced else []
        time_n, count_n = self._mac.rejoin_time_n, self._mac.rejoin_count_n
        if time_n is not None:
            found.append(self._since_us + (1_000_000 << time_n + 10))
        if count_n is not None and self._uplinks >= 1 << count_n + 4:
            found.append(self._since_us)
        return min(found, default=None)

    def due(self, now_us: int) -> tuple[int, int | None] | None:
        """Type and data rate (None: as uplinks) of the rejoin-request to send now."""
        deadline_us = self.deadline_us()
        if deadline_us is None or deadline_us > now_us:
            return None
        if self._forced and self._forced_at_us <= now_us:
            return self._forced.rejoin_type, self._forced.dr
        return 0, None

    def sent(self, now_us: int, spread_s: float = 0.0) -> None:
        """The due one was sent; `spread_s`, 0 to 32 s by chance, is added to the time until the next forced one."""
        self._since_us, self._uplinks = now_us, 0
        if self._forced is None:
            return
        self._forced_left -= 1
        self._forced_at_us = now_us + (_BETWEEN_FORCED_US << self._forced.period) + round(spread_s * 1e6)
        if self._forced_left < 0:
            self._forced = None

    def _look(self) -> None:
        """Begin with what a ForceRejoinReq asked for: the first at once, then its retries."""
        forced = self._mac.forced_rejoin
        if forced is not None:
            self._mac.forced_rejoin = None
            self._forced, self._forced_left, self._forced_at_us = forced, forced.max_retries, 0
