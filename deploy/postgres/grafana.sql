-- A role that may read what the server keeps in the schema :schema, now and later, and write nothing.
-- Run it as a superuser in the server's database; the role must not be there yet:
--   psql -v owner=inflight -v schema=inflight -v password="$GRAFANA_DB_PASSWORD" -d inflight -f grafana.sql
\set ON_ERROR_STOP on
CREATE ROLE grafana LOGIN PASSWORD :'password';
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET search_path = :schema, public;
-- A chart that was asked for too much must not hold up the server's writes.
ALTER ROLE grafana SET statement_timeout = '30s';

SET ROLE :owner;
CREATE SCHEMA IF NOT EXISTS :schema;
-- Measurements name a device by its number; names.py keeps this table equal to the registry.
CREATE TABLE IF NOT EXISTS :schema.device_name (
    device_id bigint PRIMARY KEY,
    dev_eui text NOT NULL,
    name text NOT NULL,
    application text NOT NULL
);
GRANT USAGE ON SCHEMA :schema TO grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA :schema TO grafana;
ALTER DEFAULT PRIVILEGES IN SCHEMA :schema GRANT SELECT ON TABLES TO grafana;
RESET ROLE;
