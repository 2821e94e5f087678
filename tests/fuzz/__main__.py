"""`python -m tests.fuzz [SECONDS] [TARGET ...]`: coverage-guided fuzzing of every parser, longer than the tests do.

Invariant of each target: any octets give a value or the parser's own error. What breaks it is left as a file in
build/fuzz/TARGET, with the corpus; run the target again with that file's name to see it.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports():
    from decoders import cayenne, normalise
    from lns.gateways import semtech
    from lns.lorawan.class_b import parse_beacon
    from lns.lorawan.commands import parse_commands
    from lns.lorawan.crypto import decrypt_join_accept
    from lns.lorawan.errors import FrameError
    from lns.lorawan.inspect import inspect
    from lns.lorawan.inspect_data import Keys
    from lns.lorawan.joining import JOIN, JoinContext, decrypt_join_accept_any
    from lns.lorawan.packages import clock_sync, firmware, fragmentation, multicast_setup
    from lns.lorawan.phy import parse, parse_uplink
    from lns.lorawan.relay import parse_forwarded_uplink
    from lns.registry.errors import RegistryError
    from lns.registry.import_csv import read_rows
    from tests.gateways.vectors import VECTORS as DATAGRAMS
    from tests.lorawan import vectors as lorawan_vectors

KEY = bytes(range(16))
EUI = "70b3d57ed0000001"
KEYS_1_1 = Keys(f_nwk_s_int_key=KEY, s_nwk_s_int_key=KEY, nwk_s_enc_key=KEY, app_s_key=KEY, nwk_key=KEY)
SECONDS = 60
CORPUS = Path("build/fuzz")


def frame(octets: bytes) -> None:
    with suppress(FrameError):
        parse(octets)
    with suppress(FrameError):
        parse_uplink(octets)


def inspected(octets: bytes) -> None:
    with suppress(FrameError):
        json.dumps(inspect(octets, Keys(nwk_s_key=KEY, app_s_key=KEY, app_key=KEY)))
    with suppress(FrameError):
        json.dumps(inspect(octets, KEYS_1_1))


def join_accept(octets: bytes) -> None:
    with suppress(FrameError):
        decrypt_join_accept(KEY, octets)
    with suppress(FrameError):
        decrypt_join_accept_any(octets, JoinContext(JOIN, EUI, 1), KEY, EUI)


def beacon(octets: bytes) -> None:
    with suppress(FrameError):
        assert len(parse_beacon(octets).gw_specific or bytes(7)) == 7


def relayed(octets: bytes) -> None:
    with suppress(FrameError):
        assert octets.endswith(parse_forwarded_uplink(octets).phy_payload)


def packages(octets: bytes) -> None:
    tables = clock_sync, firmware, multicast_setup, *fragmentation.TABLES.values()
    for table in tables:
        for uplink in (True, False):
            found, problem = table.parse(octets, uplink)
            assert len(found) <= len(octets)
            assert problem is None or problem


def commands(octets: bytes) -> None:
    for uplink in (True, False):
        found, problem = parse_commands(octets, uplink)
        assert len(found) <= len(octets)
        assert problem is None or problem


def datagram(octets: bytes) -> None:
    message = semtech.parse(octets, 1)
    semtech.parse_server(octets)
    reply = semtech.reply(message)
    assert reply is None or len(reply) == 4
    if isinstance(message, semtech.PushData):
        assert all(0 < len(reception.phy_payload) <= 255 for reception in message.receptions)


def cayenne_lpp(octets: bytes) -> None:
    with suppress(cayenne.CayenneError):
        normalise.flatten(cayenne.decode(octets))


def decoded_object(octets: bytes) -> None:
    try:
        data = json.loads(octets)
    except (ValueError, RecursionError):
        return
    samples, _ = normalise.flatten(data)
    assert len(samples) <= normalise.MAX_SAMPLES


def device_csv(octets: bytes) -> None:
    with suppress(UnicodeDecodeError, RegistryError):
        read_rows(octets.decode())


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        *(frame, inspected, join_accept, commands, beacon, relayed, packages),
        *(datagram, cayenne_lpp, decoded_object, device_csv),
    )
}


FRAMES = [bytes.fromhex(vector["phy_payload"]) for vector in lorawan_vectors.ALL if vector.get("phy_payload")]
SEEDS = {
    "frame": FRAMES,
    "inspected": FRAMES,
    "join_accept": FRAMES,
    "beacon": [bytes.fromhex(vector["payload"]) for vector in lorawan_vectors.of("beacon")],
    "relayed": [bytes.fromhex(vector["forward_payload"]) for vector in lorawan_vectors.of("relay_forward_uplink")],
    "packages": [bytes.fromhex(vector["encoded"]) for vector in lorawan_vectors.of("app_layer")],
    "datagram": [bytes.fromhex(vector["hex"]) for vector in DATAGRAMS],
    "decoded_object": [
        b'{"air": {"temperature": 21.5}, "t": [1, true, "x"], "h": {"value": 1e3, "unit": "%", "time": 1700000000}}',
        b'{"log": [{"timestamp": "2026-01-31T08:00:00Z", "t": null}]}',
        b'[{"field": "t", "value": 1, "unit": "V", "timestamp": 1700000000000}]',
    ],
    "device_csv": [
        b"dev_eui,name,app_key,tags\n70b3d57ed0000001,a,2b7e151628aed2a6abf7158809cf4f3c,x=1;y=2\n",
        b'dev_eui;dev_addr;nwk_s_key;app_s_key;fcnt_up\n"70b3d57ed0000001";260b1f22;00;"0""0";7\n',
    ],
}


def main() -> int:
    """Fuzz each target in a process of its own; exit code 1 when one was broken."""
    words = sys.argv[1:]
    seconds = int(words.pop(0)) if words and words[0].isdigit() else SECONDS
    broken = []
    for name in words or TARGETS:
        place = CORPUS / name
        place.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(SEEDS.get(name, [])):
            (place / f"seed-{number}").write_bytes(seed)
        options = [str(place), f"-max_total_time={seconds}", f"-artifact_prefix={place}/", "-max_len=2048"]
        print(f"{name}: {seconds} s", flush=True)
        if subprocess.run([sys.executable, "-m", "tests.fuzz", "--one", name, *options]).returncode:
            broken.append(name)
    print("broken: " + ", ".join(broken) if broken else "nothing broke")
    return 1 if broken else 0


def fuzz(name: str, options: list[str]) -> None:
    """Hand one target to libFuzzer, which ends the process."""
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        fuzz(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
