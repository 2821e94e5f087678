"""The demonstration: a small simulated fleet in a process of its own that talks to the real UDP port."""

import asyncio
import sys
from pathlib import Path

from lns.library.packaged import codec_library

DEMO_CODEC = Path("inflight/demo-sensor/codec.js")
FLEET = (
    "--gateways",
    "2",
    "--devices",
    "12",
    "--uplinks",
    "0",
    "--rate",
    "2",
    "--join-rate",
    "1",
    "--activation",
    "otaa",
)
TEMPER = ("--confirmed-share", "0.1", "--loss", "0.02", "--duplicates", "0.01", "--late", "0.01", "--ask-share", "0.02")
END_S = 5.0


async def run_demo(udp_port: int, api_port: int, data_dir: Path, region: str) -> None:
    """Run the fleet until cancelled; when it ends by itself, its last words go to standard error."""
    places = ("--server", f"127.0.0.1:{udp_port}", "--api", f"http://127.0.0.1:{api_port}", "--data-dir", str(data_dir))
    codec = ("--codec", str(codec_library() / DEMO_CODEC))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators",
        "fleet",
        *places,
        *codec,
        "--region",
        region,
        *FLEET,
        *TEMPER,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
