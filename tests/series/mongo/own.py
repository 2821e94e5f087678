"""A MongoDB store that leaves nothing behind."""

import uuid
from collections.abc import Callable
from typing import Any

from pymongo import AsyncMongoClient

from lns.config.stores import Mongo
from lns.series.mongo.store import MongoSeries


class OwnDatabase(MongoSeries):
    """A store in a database of its own, which is dropped when the store is closed."""

    def __init__(self, url: str, clock: Callable[[], int], **changes: Any) -> None:
        self.url, self.database = url, f"test_{uuid.uuid4().hex}"
        super().__init__(Mongo(**{"url": url, "database": self.database, **changes}), clock)

    async def close(self) -> None:
        await super().close()
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.url)
        await client.drop_database(self.database)
        await client.close()
