-- By device, not by device and field: a field has some hundred rows a day, a segment is to hold about a thousand.
ALTER TABLE measurement SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'device_id',
    timescaledb.compress_orderby = 'field_id, time DESC'
);
