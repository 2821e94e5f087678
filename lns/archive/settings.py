"""The storage that the section `[archive]` of the configuration asks for."""

from collections.abc import Mapping
from pathlib import Path

from lns.archive.storage import Folder, Storage
from lns.config.masking import masked
from lns.config.stores import Archive
from lns.errors import StoreError


def storage(settings: Archive, data_dir: Path, environ: Mapping[str, str]) -> Storage:
    """Where the files go. StoreError names the variable that is missing."""
    if not settings.bucket:
        return Folder(Path(settings.folder) if settings.folder else data_dir / "archive")
    from lns.archive.s3 import Access, Bucket  # an extra: loaded only where it is used

    if masked(settings.endpoint) != settings.endpoint:
        raise StoreError(f"archive.endpoint is {masked(settings.endpoint)!r}: keys are taken from the environment only")
    if settings.endpoint and not settings.endpoint.startswith(("http://", "https://")):
        raise StoreError(f"archive.endpoint is {settings.endpoint!r}: it must begin with http:// or https://")
    access = Access(
        bucket=settings.bucket,
        prefix=settings.prefix,
        endpoint=settings.endpoint,
        region=settings.region,
        access_key=_secret(environ, "access_key_env", settings.access_key_env),
        secret_key=_secret(environ, "secret_key_env", settings.secret_key_env),
    )
    return Bucket(access)


def _secret(environ: Mapping[str, str], key: str, variable: str) -> str:
    if not environ.get(variable):
        raise StoreError(f"archive.{key} names the environment variable {variable}, which is not set")
    return environ[variable]
