"""The registry: who may talk to the network and what is known of them, in one SQLite file.

Methods block: call them in a thread (`asyncio.to_thread`). They may be called from several at once.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import delete, select

from lns.registry.applications import Applications
from lns.registry.codecs import Codecs
from lns.registry.database import Database
from lns.registry.devices import Devices
from lns.registry.downlinks import Downlinks
from lns.registry.failures import Failures
from lns.registry.gateways import Gateways
from lns.registry.keys import Keys
from lns.registry.library import Library
from lns.registry.multicast import Multicast, load_multicast
from lns.registry.outlets import Outlets
from lns.registry.rows import MulticastSnapshot, NetworkSnapshot
from lns.registry.schema import decode_failure, dev_nonce, device, downlink, multicast_member, session
from lns.registry.seal import Seal
from lns.registry.session_file import SessionFiles
from lns.registry.sessions import place_abp_sessions
from lns.registry.snapshot import Part, load_network
from lns.registry.templates import Templates

FILE_NAME = "inflight.db"


class Registry:
    """All tables of provisioning. `write_lock` is shared with the exchange, which writes the same file.

    The key-encryption key comes from the environment, else from `key_file`, else from the file beside the database.
    """

    def __init__(self, path: Path, default_region: str = "EU868", key_file: Path | None = None) -> None:
        self.path = path
        self.write_lock = threading.Lock()
        self._default_region = default_region
        self._database = Database(path, self.write_lock, key_file)
        self.applications = Applications(self._database)
        self.templates = Templates(self._database, default_region)
        self.devices = Devices(self._database, default_region)
        self.gateways = Gateways(self._database)
        self.codecs = Codecs(self._database)
        self.library = Library(self._database)
        self.keys = Keys(self._database)
        self.failures = Failures(self._database)
        self.downlinks = Downlinks(self._database)
        self.multicast = Multicast(self._database, default_region)
        self.outlets = Outlets(self._database)
        self.session_files = SessionFiles(self._database, default_region)

    @property
    def seal(self) -> Seal:
        """What seals the keys of the tables; there once the registry is open."""
        return self._database.seal

    def open(self) -> None:
        """Create or migrate the database and load the API keys. StoreError says what to do."""
        self._database.open()
        with self._database.write() as connection:
            place_abp_sessions(connection, self._default_region)
            # a join that was under way while its device was deleted
            for table in (session, dev_nonce, downlink, decode_failure, multicast_member):
                connection.execute(delete(table).where(table.c.device_id.not_in(select(device.c.id))))
        self.keys.load()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def load_network(self, part: Part = None) -> NetworkSnapshot:
        """What the network keeps in memory, of all devices or a part of them; the template's settings filled in."""
        with self._database.read() as connection:
            return load_network(connection, self.seal.open, self._default_region, part)

    def load_multicast(self, group_ids: Sequence[int] | None = None) -> MulticastSnapshot:
        """What the network keeps of all multicast groups or some of them."""
        with self._database.read() as connection:
            return load_multicast(connection, self.seal.open, group_ids)

    def check(self) -> None:
        """Read one row. StoreError when the database cannot be read."""
        with self._database.read() as connection:
            connection.execute(select(device.c.id).limit(1)).all()
