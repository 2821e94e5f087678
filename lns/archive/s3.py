"""Archive files in an S3 bucket. The only module that knows obstore.

An upload is visible as a whole when it is complete, large ones in parts too; that is all the atomicity there is to ask.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import msgspec
from obstore.exceptions import BaseError
from obstore.store import S3Store

from lns.errors import StoreError

_TIMEOUT = timedelta(seconds=30)
_RETRY_TIMEOUT = timedelta(seconds=10)  # then the caller is told, who tries again and shows it

_T = TypeVar("_T")


class Access(msgspec.Struct, frozen=True):
    """A bucket and how to get at it; `endpoint` empty: Amazon's of the region."""

    bucket: str
    prefix: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str


class Bucket:
    """`Storage` in a bucket, below a prefix."""

    def __init__(self, access: Access) -> None:
        self.where = f"s3://{access.bucket}/{access.prefix}".rstrip("/")
        self._store = S3Store(
            access.bucket,
            prefix=access.prefix or None,
            endpoint=access.endpoint or None,
            region=access.region,
            access_key_id=access.access_key,
            secret_access_key=access.secret_key,
            client_options={"allow_http": access.endpoint.startswith("http://"), "timeout": _TIMEOUT},
            retry_config={"max_retries": 2, "retry_timeout": _RETRY_TIMEOUT},
        )

    async def put(self, name: str, data: bytes) -> None:
        await self._told(self._store.put_async(name, data))

    async def get(self, name: str) -> bytes | None:
        try:
            return await self._told(self._read(name))
        except FileNotFoundError:
            return None

    async def names(self, prefix: str) -> list[str]:
        return sorted(await self._told(self._listed(prefix)))

    async def delete(self, name: str) -> None:
        try:
            await self._told(self._store.delete_async(name))
        except FileNotFoundError:
            return

    async def probe(self) -> None:
        """Only reads: keys that may not delete would leave the trace."""
        await self.names("probe")

    async def _listed(self, prefix: str) -> list[str]:
        return [one["path"] async for page in self._store.list(prefix) for one in page]

    async def _read(self, name: str) -> bytes:
        return bytes(await (await self._store.get_async(name)).bytes_async())

    async def _told(self, work: Awaitable[_T]) -> _T:
        try:
            return await work
        except BaseError as error:
            if isinstance(error, FileNotFoundError):
                raise
            reason = str(error).splitlines()[0][:300]
            raise StoreError(f"the archive in {self.where} cannot be used: {reason}") from error
