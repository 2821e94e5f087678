"""A verification that is asked for, one at a time."""

import asyncio
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive.verifying import Verifier
from tests.archive.build import D0, DAY_US, archive, stored
from tests.exchange.build import until
from tests.process import free_port


@asynccontextmanager
async def verifying(storage):
    verifier = Verifier(storage, "")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(verifier.run())
        try:
            yield verifier
        finally:
            task.cancel()


async def test_one_is_under_way_at_a_time_and_its_verdict_stays(tmp_path):
    storage = await archive(tmp_path, stored((1, D0)), stored((2, D0 + DAY_US)))
    async with verifying(storage) as verifier:
        check = verifier.start()
        assert verifier.start() is check
        await until(lambda: check.state == "done")
        assert (check.behind, check.files, check.verdict.uplinks, check.verdict.is_whole) == (2, 2, 2, True)
        assert check.finished_at_us is not None
        assert verifier.last is check
        assert verifier.start() is not check


async def test_a_storage_that_cannot_be_read_is_told():
    pytest.importorskip("obstore", reason="no S3 client: pip install inflight-lns[archive]")
    from lns.archive.s3 import Access, Bucket

    nobody = f"http://127.0.0.1:{free_port()}"
    async with verifying(Bucket(Access("uplinks", "", nobody, "us-east-1", "any", "any"))) as verifier:
        check = verifier.start()
        await until(lambda: check.state != "running", 60)
        assert (check.state, check.verdict.files) == ("failed", 0)
        assert check.error is not None
        assert check.error.startswith("the archive in s3://uplinks cannot be used: ")
