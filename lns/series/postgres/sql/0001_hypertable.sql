SELECT create_hypertable('measurement', by_range('time', INTERVAL ':chunk_days days'), create_default_indexes => false);
