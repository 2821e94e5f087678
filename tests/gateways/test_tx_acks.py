"""Which PULL_RESP a TX_ACK answers, and when to stop waiting."""

from lns.gateways.tx_acks import Awaited, AwaitedTxAcks
from lns.mac.frames import TxOutcome

A, B = "ce0513ae8d021d81", "ce0513ae8d021d82"


def ignore(outcome: TxOutcome | None) -> None:
    """Nobody asks."""


def test_a_tx_ack_answers_the_pull_resp_of_its_gateway_and_token_once() -> None:
    awaited = AwaitedTxAcks()
    awaited.add(A, b"\0\1", ignore, 5.0)
    assert (A, b"\0\1") in awaited
    assert awaited.take(B, b"\0\1") is None
    assert awaited.take(A, b"\0\2") is None
    assert awaited.take(A, b"\0\1") == Awaited(A, 5.0, ignore)
    assert awaited.take(A, b"\0\1") is None
    assert (A, b"\0\1") not in awaited


def test_after_a_second_nobody_waits_any_more() -> None:
    awaited = AwaitedTxAcks()
    assert (awaited.deadline(), awaited.expire(0.0)) == (None, [])
    awaited.add(A, b"\0\1", ignore, 5.0)
    awaited.add(B, b"\0\1", ignore, 5.5)
    assert awaited.deadline() == 6.0
    assert awaited.expire(5.9) == []
    assert awaited.expire(6.0) == [Awaited(A, 5.0, ignore)]
    assert awaited.deadline() == 6.5
    assert awaited.expire(7.0) == [Awaited(B, 5.5, ignore)]
    assert awaited.deadline() is None
