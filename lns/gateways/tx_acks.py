"""PULL_RESPs that wait for their TX_ACK. Pure; `now` is monotonic seconds."""

from collections.abc import Callable

import msgspec

from lns.mac.frames import TxOutcome

TIMEOUT_S = 1.0
"""Forwarders answer at once; what has not come by now was lost, or the PULL_RESP was ignored."""

OnOutcome = Callable[[TxOutcome | None], None]


class Awaited(msgspec.Struct, frozen=True):
    """A PULL_RESP that was sent to a gateway."""

    gateway_eui: str
    sent_at: float
    on_outcome: OnOutcome


class AwaitedTxAcks:
    """Sent PULL_RESPs by gateway and token, oldest first."""

    def __init__(self) -> None:
        self._awaited: dict[tuple[str, bytes], Awaited] = {}

    def __contains__(self, key: tuple[str, bytes]) -> bool:
        return key in self._awaited

    def add(self, gateway_eui: str, token: bytes, on_outcome: OnOutcome, now: float) -> None:
        """Wait for the TX_ACK of `token`, which must not be waited for already."""
        self._awaited[gateway_eui, token] = Awaited(gateway_eui, now, on_outcome)

    def take(self, gateway_eui: str, token: bytes) -> Awaited | None:
        """The PULL_RESP that a TX_ACK answers; None when it answers none, or too late."""
        return self._awaited.pop((gateway_eui, token), None)

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        for awaited in self._awaited.values():
            return awaited.sent_at + TIMEOUT_S
        return None

    def expire(self, now: float) -> list[Awaited]:
        """Give up on those whose time is over, oldest first."""
        expired = []
        for key, awaited in self._awaited.items():
            if awaited.sent_at + TIMEOUT_S > now:
                break
            expired.append((key, awaited))
        for key, _ in expired:
            del self._awaited[key]
        return [awaited for _, awaited in expired]
