"""One script, one payload, no server: what `lns codec run` does."""

import hashlib
from collections.abc import Mapping

from decoders.contract import Request, Result
from decoders.pool import Pool


async def run_once(
    source: str, payload: bytes, fport: int, recv_time_us: int, variables: Mapping[str, str] | None = None
) -> Result:
    """Decode `payload` in a worker of its own; `recv_time_us` is UTC and the script's clock."""
    return await run_request(source, Request(payload, fport, recv_time_us, "", 0, dict(variables or {})))


async def run_request(source: str, request: Request, convention: str | None = None) -> Result:
    """Decode an uplink with all that is known of it in a worker of its own; the result tells the memory."""
    key = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()
    pool = Pool()
    await pool.start()
    try:
        report = await pool.check(source, convention)
        if report.problem is not None:
            return Result(error=report.problem)
        return (await pool.decode(key, source, [request], convention, measure=True))[0]
    finally:
        await pool.close()
