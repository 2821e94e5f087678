"""Copies the names of devices from the registry to PostgreSQL, where dashboards join them to measurements.

It reads the registry beside the running server and changes only rows that differ: run it every minute or so.
"""

import argparse
import logging
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg

from lns.config import Config, load

REGISTRY = "inflight.db"  # in the data folder
_NAMES = """
SELECT device.id, device.dev_eui, device.name, application.name
FROM device JOIN application ON application.id = device.application_id
"""
_TAKE = "CREATE TEMP TABLE given (LIKE device_name INCLUDING INDEXES) ON COMMIT DROP"
_COPY = "COPY given (device_id, dev_eui, name, application) FROM STDIN"
_CHANGE = """
INSERT INTO device_name AS known SELECT * FROM given
ON CONFLICT (device_id) DO UPDATE SET
    dev_eui = excluded.dev_eui, name = excluded.name, application = excluded.application
WHERE (known.dev_eui, known.name, known.application) IS DISTINCT FROM
    (excluded.dev_eui, excluded.name, excluded.application)
"""
_FORGET = "DELETE FROM device_name WHERE NOT EXISTS (SELECT 1 FROM given WHERE given.device_id = device_name.device_id)"

_logger = logging.getLogger("names")

Names = list[tuple[int, str, str, str]]


def registered(folder: Path) -> Names:
    """Device id, DevEUI, name and application of every device."""
    with closing(sqlite3.connect(f"{(folder / REGISTRY).as_uri()}?mode=ro", uri=True, timeout=10)) as registry:
        return registry.execute(_NAMES).fetchall()


def copy(names: Names, config: Config) -> int:
    """Bring the table in line with `names`; returns how many rows that changed."""
    settings = config.postgres
    password = os.environ.get(settings.password_env) if settings.password_env else None
    with psycopg.connect(settings.dsn, password=password, connect_timeout=5) as connection:
        connection.execute(f"SET search_path TO {settings.schema}")
        connection.execute(_TAKE)
        with connection.cursor().copy(_COPY) as rows:
            for name in names:
                rows.write_row(name)
        return connection.execute(_CHANGE).rowcount + connection.execute(_FORGET).rowcount


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the server's configuration file")
    parser.add_argument("--data", type=Path, help="the server's data folder, where the file does not name it")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="go on for ever")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    config = load(asked.config)
    folder = (asked.data or Path(config.data_dir)).resolve()
    while True:
        try:
            changed = copy(registered(folder), config)
            if changed:
                _logger.info("%d names changed", changed)
        except (psycopg.Error, sqlite3.Error) as error:
            if asked.every is None:
                raise SystemExit(f"names: {error}") from error
            _logger.warning("%s", error)
        if asked.every is None:
            return
        time.sleep(asked.every)


if __name__ == "__main__":
    main()
