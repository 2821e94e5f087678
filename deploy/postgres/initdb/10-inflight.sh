#!/bin/sh
# Run once, when the volume is made: the server's account, and one that may only read for Grafana.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$INFLIGHT_DB_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE inflight LOGIN PASSWORD :'password';
GRANT CREATE ON DATABASE inflight TO inflight;
CREATE EXTENSION IF NOT EXISTS timescaledb;
SQL
psql -v owner=inflight -v schema=inflight -v password="$GRAFANA_DB_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
    -f /etc/inflight/grafana.sql
