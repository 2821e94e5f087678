"""Fairness of the queue."""

import pytest

from decoders.turns import Turns


def drain(turns: Turns[str]) -> list[str]:
    return [turns.take() for _ in range(len(turns))]


def test_keys_take_turns_and_keep_their_own_order() -> None:
    turns: Turns[str] = Turns()
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        turns.append(item[0], item)
    assert len(turns) == 6
    assert drain(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_what_is_put_back_comes_before_what_waits() -> None:
    turns: Turns[str] = Turns()
    turns.append("a", "a3")
    turns.put_back("a", ["a1", "a2"])
    turns.put_back("b", ["b1"])
    assert drain(turns) == ["a1", "b1", "a2", "a3"]


def test_all_of_a_key_can_be_taken() -> None:
    turns: Turns[str] = Turns()
    for item in ("a1", "b1", "a2"):
        turns.append(item[0], item)
    assert turns.take_all("a") == ["a1", "a2"]
    assert turns.take_all("x") == []
    assert drain(turns) == ["b1"]


def test_some_keys_can_be_left_for_the_end() -> None:
    turns: Turns[str] = Turns()
    for item in ("a1", "b1", "a2", "c1"):
        turns.append(item[0], item)
    assert [turns.take(lambda key: key in "ab") for _ in range(4)] == ["c1", "a1", "b1", "a2"]


def test_an_empty_queue_has_nothing() -> None:
    with pytest.raises(IndexError):
        Turns[str]().take()
