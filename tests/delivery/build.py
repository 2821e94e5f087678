"""Messages, a destination and surroundings for tests of delivery."""

from lns.delivery.outcome import Outcome, Outgoing, Verdict

NOW_US = 1_700_000_000_000_000
DELIVERED = Outcome(verdict=Verdict.DELIVERED, status=200)
TROUBLE = Outcome(verdict=Verdict.RETRY, status=500, error="status 500")
REFUSED = Outcome(verdict=Verdict.REFUSED, status=400, error="status 400")
GONE = Outcome(verdict=Verdict.GONE, status=410, error="status 410")


def message(n: int, lane: str = "a") -> Outgoing:
    return Outgoing(f"uplink_{n}", n, lane, "uplink", b'{"n": %d}' % n)


def messages(first: int, last: int, lanes: int = 1) -> list[Outgoing]:
    return [message(n, f"lane{n % lanes}") for n in range(first, last + 1)]
