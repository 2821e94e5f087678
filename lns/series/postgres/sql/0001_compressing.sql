-- Late data and replays write to chunks that are not compressed yet: a compressed one takes them, but slowly.
SELECT add_compression_policy('measurement', INTERVAL ':compress_after_days days');
