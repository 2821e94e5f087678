"""A data folder with many ABP devices, made without a server."""

from pathlib import Path

from lns.registry.device_input import parse_device
from lns.registry.registry import FILE_NAME, Registry
from simulators import identity

SEED = 7


def register(folder: Path, count: int) -> None:
    """Add devices number 0 and following to the data in `folder`, each with a session."""
    registry = Registry(folder / "data" / FILE_NAME)
    registry.open()
    try:
        problems = registry.devices.add_many([parse_device(body(number)) for number in range(count)])
    finally:
        registry.close()
    if any(problems):
        raise RuntimeError(f"a device could not be registered: {next(filter(None, problems))}")


def body(number: int) -> dict[str, object]:
    """A device as the API takes it."""
    who = identity.device(SEED, number)
    keys = {"nwk_s_key": who.nwk_s_key.hex(), "app_s_key": who.app_s_key.hex()}
    return {"dev_eui": who.dev_eui, "activation": "abp", "abp": {"dev_addr": who.dev_addr, **keys}}
