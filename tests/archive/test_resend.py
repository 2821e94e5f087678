"""Messages that are sent to an outlet again; tests/assembly/test_archiving.py does it with a whole server."""

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive.backfill_jobs import BackfillJob, BackfillSpec
from lns.archive.priority import LiveFirst
from lns.archive.resend import Resending, no_outlet
from lns.decoding.parts import Refused
from lns.decoding.sources import LoggedUplinks
from tests.archive.test_backfill import backfilling
from tests.decoding.build import one, scene


async def test_an_unknown_outlet_is_refused(tmp_path):
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, _):
        with pytest.raises(Refused, match=r"^there is no outlet 'default/hook'$"):
            await b.start(BackfillSpec("default/hook"))
        assert b.jobs() == []


async def test_an_outlet_that_goes_meanwhile_ends_the_job_and_nothing_moves(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1))
        await s.decoded(1)
        spec = BackfillSpec("default/hook")
        again = BackfillJob(id="a", created_at_us=1, first=0, last=9, position=0, state="running", spec=spec)
        resending = Resending(again, no_outlet, s.parts, LoggedUplinks(s.exchange, "decoder"), False)
        with pytest.raises(Refused):
            await resending.page(LiveFirst(s.exchange, list))
        assert (again.position, again.found.messages) == (0, 0)
