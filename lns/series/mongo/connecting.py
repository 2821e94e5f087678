"""The connection to MongoDB, and what its errors mean."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.uri_parser import parse_uri

from lns.config.masking import ESCAPED, masked
from lns.config.stores import Mongo
from lns.errors import StoreError
from lns.series.mongo.documents import Document

CONNECT_S = 5.0  # to find a server that takes writes

_T = TypeVar("_T")

Collection = AsyncCollection[Document]


class Server:
    """The collections that `settings` name; `environ` holds the password. StoreError where these can never work."""

    def __init__(self, settings: Mongo, environ: Mapping[str, str]) -> None:
        self._settings, self._environ = settings, environ
        self._client: AsyncMongoClient[Document] | None = None
        self._options_given = self._options()
        self.name = settings.collection
        self.where = f"{place(settings.url)}/{settings.database}"
        if not settings.url.startswith("mongodb+srv://"):  # which is looked up to be read
            with self.answers():
                self._readable(lambda: parse_uri(settings.url))

    async def open(self) -> None:
        """Connect and hear an answer."""
        with self.answers():
            self._client = self._readable(lambda: AsyncMongoClient(self._settings.url, **self._options_given))
            await self._client.admin.command("ping")

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def collection(self, suffix: str = "") -> Collection:
        """The measurements, or what is called after them."""
        if self._client is None:
            raise StoreError("the time-series store is not open")
        return self._client[self._settings.database][self.name + suffix]

    @contextmanager
    def answers(self) -> Iterator[None]:
        """Turn what the driver raises into StoreError."""
        try:
            yield
        except PyMongoError as error:
            raise StoreError(sentence(self.where, self._settings.timeout_s, error)) from error

    def _readable(self, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except ValueError:  # whose text may show a piece of the password
            raise StoreError(
                f"mongodb.url is {masked(self._settings.url)!r}: no connection string, {ESCAPED}"
            ) from None

    def _options(self) -> dict[str, Any]:
        name, limit_s = self._settings.secret_env, self._settings.timeout_s
        options: dict[str, Any] = {
            "appname": "inflight",
            "timeoutMS": int(limit_s * 1000),
            "serverSelectionTimeoutMS": int(min(CONNECT_S, limit_s) * 1000),
            # What is acknowledged outlives a crash of the server, and of the primary of a replica set.
            "w": "majority",
            "journal": True,
        }
        if name:
            if not self._environ.get(name):
                raise StoreError(f"mongodb.secret_env names the environment variable {name}, which is not set")
            options["password"] = self._environ[name]
        return options


def place(url: str) -> str:
    """The hosts of a connection string as people are told them, without a user or password."""
    return re.split("[/?#]", masked(url).partition("://")[2].rpartition("@")[2])[0]


def sentence(where: str, limit_s: float, error: PyMongoError) -> str:
    """What an error means, in a plain sentence."""
    cause = _short(str(error))
    if isinstance(error, ServerSelectionTimeoutError):
        return f"mongodb at {where} cannot be reached: {cause}"
    if isinstance(error, BulkWriteError):
        failed = [*error.details["writeErrors"], *error.details["writeConcernErrors"]]
        return f"mongodb at {where} refuses: {_short(failed[0]['errmsg'])} ({failed[0]['code']})"
    if error.timeout:
        return f"mongodb at {where} did not answer in {limit_s:g} s"
    if isinstance(error, ConnectionFailure):
        return f"mongodb at {where} cannot be reached: {cause}"
    if isinstance(error, OperationFailure):
        return f"mongodb at {where} refuses: {_short((error.details or {}).get('errmsg', cause))} ({error.code})"
    if isinstance(error, ConfigurationError):  # covers a connection string that is none
        return f"mongodb.url cannot be used: {cause}"
    return f"mongodb at {where} cannot be used: {cause}"


def _short(text: str) -> str:
    """The first line, without the driver's own settings."""
    return text.partition("\n")[0].partition(" (configured timeouts")[0].partition(", Timeout:")[0]
