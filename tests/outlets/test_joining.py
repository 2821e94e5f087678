"""Formats that tell an uplink once it is decoded."""

import json

import pytest

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Stored
from lns.outlets.formats.chirpstack import ChirpStack
from lns.outlets.joining import UPLINKS_KEPT, Joining
from tests.outlets.samples import decoded, uplink, uplinks
from tests.outlets.sending import describe


async def tell(joining: Joining, stored: Stored) -> list[Outgoing]:
    joining.events(stored)
    return await joining.messages(stored)


def joining(*log: Stored) -> tuple[Joining, list[int]]:
    """With the seqs that were read back from the log."""
    kept, read = {stored.seq: stored for stored in log}, list[int]()

    async def find(seq: int) -> Stored | None:
        read.append(seq)
        return kept.get(seq)

    return Joining(ChirpStack(describe), find), read


async def test_an_uplink_is_remembered_and_one_from_before_the_start_is_found():
    joined, read = joining(Stored(1, "uplink", uplink(0, fport=9)))
    assert await tell(joined, Stored(2, "uplink", uplink(1))) == []
    (first,) = await tell(joined, Stored(3, "decoded", decoded(0)))
    (second,) = await tell(joined, Stored(4, "decoded", decoded(1)))
    assert [json.loads(one.body)["fPort"] for one in (first, second)] == [9, 2]
    assert read == [1]


async def test_uplinks_that_wait_too_long_for_their_decoded_record_are_read_from_the_log():
    joined, read = joining(Stored(1, "uplink", uplink(0)))
    for stored in uplinks(UPLINKS_KEPT + 1):
        joined.events(stored)
    for n in (0, 1):
        assert len(await tell(joined, Stored(6000 + n, "decoded", decoded(n)))) == 1
    assert read == [1]


async def test_a_decoded_record_whose_uplink_is_gone_is_refused():
    joined, _ = joining()
    with pytest.raises(ValueError) as gone:
        await tell(joined, Stored(9, "decoded", decoded(7)))
    assert str(gone.value) == "uplink 8 is not in the exchange any more"
