"""What scripts remember of devices: what is found again, what is forgotten, what is on the disk."""

import sqlite3
from contextlib import closing

import msgspec
import pytest

from decoders.contract import Error, Result
from lns.decoding.codecs import Codec
from lns.decoding.memory import MAX_PREVIOUS_BYTES, Memories, Memory, MemoryTable
from lns.decoding.needs import Needs
from tests.exchange.build import uplink

CODEC = Codec(1, "meter", "key", "", None, Needs(previous=True, state=True))
OTHER = Codec(2, "other", "key", "", None, Needs(previous=True, state=True))
FIRST = uplink(1)
REJOINED = msgspec.structs.replace(FIRST, id=b"\x01" * 16)
SESSION = bytes(8)


def learned() -> Memories:
    memories = Memories()
    memories.note(CODEC, FIRST, Result(b'{"v":1}', state="[1,{}]"))
    return memories


def test_state_and_values_are_there_for_the_next_uplink():
    assert Memories().of(CODEC, FIRST) == Memory("meter", SESSION)
    assert learned().of(CODEC, FIRST) == Memory("meter", SESSION, "[1,{}]", '{"v":1}')


def test_a_join_ends_the_state_and_another_codec_finds_nothing():
    assert learned().of(CODEC, REJOINED) == Memory("meter", b"\x01" * 8, "", '{"v":1}')
    assert learned().of(OTHER, FIRST) == Memory("other", SESSION)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Result(b'{"v":2}'), Memory("meter", SESSION, "[1,{}]", '{"v":2}')),  # an unchanged state is not told
        (Result(b'{"v":2}', error=Error("exception", "no")), Memory("meter", SESSION, "[1,{}]", '{"v":1}')),
        (Result(b"1" * (MAX_PREVIOUS_BYTES + 1)), Memory("meter", SESSION, "[1,{}]", "")),
    ],
)
def test_what_is_kept_of_a_result(result, expected):
    memories = learned()
    memories.note(CODEC, FIRST, result)
    assert memories.of(CODEC, FIRST) == expected


def test_a_script_that_asks_for_nothing_leaves_nothing():
    memories, plain = Memories(), Codec(3, "plain", "key", "")
    memories.note(plain, FIRST, Result(b'{"v":1}'))
    assert memories.of(plain, FIRST) == Memory("plain", SESSION)


def test_a_copy_goes_on_alone_until_it_is_settled():
    memories = learned()
    copy = memories.aside()
    copy.note(CODEC, FIRST, Result(b'{"v":9}'))
    assert (copy.of(CODEC, FIRST).previous, memories.of(CODEC, FIRST).previous) == ('{"v":9}', '{"v":1}')
    copy.settle()
    assert memories.of(CODEC, FIRST).previous == '{"v":9}'


def write(table: MemoryTable, path) -> None:
    wanted = table.take()
    assert wanted is not None
    with closing(sqlite3.connect(path)) as connection:
        wanted(connection)
        connection.commit()


def test_memories_of_a_job_are_stored_and_dropped_apart_from_others(tmp_path):
    path, table = tmp_path / "log.db", MemoryTable()
    assert (table.take(), table.load(path, "")) == (None, {})
    for job in ("", "replay"):
        Memories(None, table, job).note(CODEC, FIRST, Result(b'{"v":1}', state="[1,{}]"))
    write(table, path)
    known = {1: Memory("meter", SESSION, "[1,{}]", '{"v":1}')}
    assert (table.load(path, ""), table.load(path, "replay"), table.take()) == (known, known, None)
    Memories(None, table, "replay").note(CODEC, REJOINED, Result(b"{}"))
    table.drop("replay")
    write(table, path)
    assert (table.load(path, ""), table.load(path, "replay")) == (known, {})
