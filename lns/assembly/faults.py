"""What of the configuration can never work on this machine: engines are built as the server does, and not connected."""

from collections.abc import Callable, Iterator

from lns.assembly.archiving import archive_storage
from lns.assembly.latest import latest_store
from lns.assembly.stores import check_reads, engines
from lns.config import Config, ConfigError
from lns.errors import StoreError


def faults(config: Config) -> list[str]:
    """Each in a sentence."""
    found = []
    for make in _parts(config):
        try:
            make()
        except (ConfigError, StoreError) as error:
            found.append(str(error))
    return found


def _parts(config: Config) -> Iterator[Callable[[], object]]:
    for settings, make in engines(config).values():
        if settings.enabled:
            yield make
    yield lambda: check_reads(config)
    yield lambda: latest_store(config.latest)
    if config.archive.enabled:
        yield lambda: archive_storage(config)
    if config.kafka.enabled:
        yield lambda: _kafka(config)


def _kafka(config: Config) -> None:
    from lns.outlets.kafka import KafkaOutlet  # an extra: loaded only where it is used

    KafkaOutlet(config.kafka, lambda _: None, _nobody)


async def _nobody(_: object) -> None:
    return None
