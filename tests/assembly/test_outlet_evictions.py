"""A delivery log that is full forgets dead letters before their days are over, and a person is told."""

from pathlib import Path

from lns.config.outlets import Deliveries
from tests.assembly.serving import QUICK, serving, shown
from tests.outlets.receiver import answer, receiving

RECORDS = 240


async def test_dead_letters_that_were_forgotten_early_are_an_alert(tmp_path: Path) -> None:
    async with serving(tmp_path, deliveries=Deliveries(most_bytes=1_000_000)) as world, receiving() as receiver:
        receiver.then = answer(400, b"x" * 4096)  # with its answer a dead letter takes 5 kB
        await world.device(1)
        await world.outlet("hook", receiver.url, sending={**QUICK, "schedule": {"waits_s": [], "refusals": 1}})
        await world.uplinks(RECORDS)
        status = await shown(world, "/status", lambda one: any(a["kind"] == "evicted" for a in one["alerts"]))
        (alert,) = [one for one in status["alerts"] if one["kind"] == "evicted"]
        assert (alert["outlet"], alert["application"]) == ("hook", "default")
        assert int(alert["text"].split()[0]) > 0
        exposed = (await world.api.get(f"{world.running.url}/metrics")).text
        assert 'lns_outlet_evicted_total{outlet="1/hook",state="dead"}' in exposed
