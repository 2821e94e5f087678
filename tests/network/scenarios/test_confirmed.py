from lns.mac.frames import TxOutcome
from simulators.firmware import Firmware
from simulators.versions import version
from tests.network.pair import Pair, only
from tests.network.world import world
import pytest

@pytest.mark.parametrize("name", ["1.0.3", "1.0.4", "1.1"])
async def test_a_confirmed_uplink_is_acknowledged_in_rx1(tmp_path, name):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device(firmware=Firmware(version=version(name))))
        (joined,) = await pair.join()
        assert joined.joined
        window, got = only(await pair.send(confirmed=True))
        print(window, got)
        assert (window, got.ack) == ("rx1", True)
