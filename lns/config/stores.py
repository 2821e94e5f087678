"""Sections on where measurements and raw uplinks are kept. Each of the stores takes part that is enabled."""

from typing import Annotated, Literal

from msgspec import Meta

from lns.config.section import Days, Section


class SeriesSqlite(Section, frozen=True):
    """Time-series store on SQLite."""

    # write measurements to the data folder
    enabled: bool = True
    # measurements older than this are dropped; 0 keeps all
    retention_days: Days = 0.0
    # store that charts and the API read; empty: the first enabled one of sqlite, postgres, influxdb and mongodb
    reads_from: Literal["", "sqlite", "postgres", "influxdb", "mongodb"] = ""


class Postgres(Section, frozen=True):
    """Time-series store on PostgreSQL, with hypertables where TimescaleDB is there; needs the extra `postgres`."""

    # write measurements to PostgreSQL
    enabled: bool = False
    # the database, as a URI or a libpq connection string
    dsn: str = "postgresql://127.0.0.1:5432/inflight"
    # name of the environment variable that holds the password; empty: as libpq finds it
    password_env: str = ""
    # where the tables are; made at the first start
    schema: Annotated[str, Meta(pattern="^[a-z_][a-z0-9_]{0,62}$")] = "inflight"
    # measurements older than this are dropped, a whole chunk at a time; 0 keeps all
    retention_days: Days = 0.0
    # days in one partition or chunk; stays what it was when the schema was made
    chunk_days: Annotated[int, Meta(ge=1, le=366)] = 1
    # TimescaleDB compresses chunks this old, set when the schema is made; 0 leaves them as they are
    compress_after_days: Annotated[int, Meta(ge=0, le=36_500)] = 7
    # how long the roll-up by minutes is kept; those by hours and days are kept as long as the measurements
    minute_rollup_days: Days = 2.0
    # how rows go in: COPY, the faster one, or arrays in an INSERT; auto: COPY where the server takes it
    write_path: Literal["auto", "copy", "unnest"] = "auto"
    # connections that read, beside the one that writes
    pool: Annotated[int, Meta(ge=1, le=100)] = 3


Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=64)]


class Influx(Section, frozen=True):
    """Time-series store on InfluxDB 1, 2 or 3."""

    # write measurements to InfluxDB
    enabled: bool = False
    # the server's address, without a path
    url: str = "http://127.0.0.1:8086"
    # major version of the server: its write and delete requests differ
    version: Literal[1, 2, 3] = 1
    # database of versions 1 and 3, made when it is missing; bucket of version 2
    database: Name = "inflight"
    # organisation that owns the bucket of version 2
    org: str = ""
    # what the points are called; _position and _rejected are added for the store's own
    measurement: Name = "measurements"
    # user of version 1; empty: no login
    username: str = ""
    # name of the environment variable that holds the password of version 1 or the token of versions 2 and 3
    secret_env: str = ""
    # how long one request may take
    timeout_s: Annotated[float, Meta(gt=0, le=600)] = 30.0
    # most points in one request
    batch_points: Annotated[int, Meta(ge=1, le=100_000)] = 5000
    # measurements older than this are dropped; 0 keeps all
    retention_days: Days = 0.0


class Mongo(Section, frozen=True):
    """Time-series store on MongoDB; needs the extra `mongo`."""

    # write measurements to MongoDB
    enabled: bool = False
    # the server or replica set, as a connection string
    url: str = "mongodb://127.0.0.1:27017"
    # database of the collections
    database: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$", max_length=63)] = "inflight"
    # collection of the measurements; _state and _rejected are added for the store's own
    collection: Name = "measurements"
    # name of the environment variable that holds the password of the url's user; empty: as the url says
    secret_env: str = ""
    # how long one request may take
    timeout_s: Annotated[float, Meta(gt=0, le=600)] = 30.0
    # most rows in one request
    batch_rows: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    # measurements older than this are dropped; 0 keeps all
    retention_days: Days = 0.0


class Archive(Section, frozen=True):
    """Archive of raw uplinks as Parquet; needs the extra `archive`."""

    # write every uplink to the archive
    enabled: bool = False
    # folder of the files; empty: `archive` in the data folder. Not used where a bucket is named
    folder: str = ""
    # S3 bucket; empty: files go to the folder
    bucket: str = ""
    # folder in the bucket
    prefix: str = ""
    # URL of an S3 server; empty: Amazon's of the region
    endpoint: str = ""
    # region of the bucket
    region: str = "us-east-1"
    # name of the environment variable that holds the access key
    access_key_env: str = "AWS_ACCESS_KEY_ID"
    # name of the environment variable that holds the secret key
    secret_key_env: str = "AWS_SECRET_ACCESS_KEY"
    # uplinks in a file at most
    file_uplinks: Annotated[int, Meta(ge=1, le=1_000_000)] = 50_000
    # a smaller file is written after this; until then its uplinks are in the log
    file_age_s: Annotated[float, Meta(ge=1, le=86_400)] = 3600.0
    # days that end before this are dropped; 0 keeps all
    retention_days: Days = 0.0


class Latest(Section, frozen=True):
    """Latest values and health of devices and gateways."""

    # URL of a Redis server (redis://, rediss:// or unix://) to keep them in, which needs the extra `redis`;
    # empty: they are kept in memory and filled again at a start
    redis_url: str = ""
    # name of the environment variable that holds the password
    password_env: str = ""
    # what all keys in Redis begin with
    prefix: str = "inflight:"
