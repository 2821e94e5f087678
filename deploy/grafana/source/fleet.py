"""Traffic of the whole network, and the devices that need a look."""

from deploy.grafana.source.board import Board, curve, graph, mean, prom, quantile, rate, share, sql, stat, table

# Of whole hours, so that the roll-ups serve: a day of a large fleet is some ten million measurements.
_HEARD = "SELECT count(DISTINCT device_id) AS devices FROM rollup_hour WHERE $__timeFilter(start)"
_HEARD_BY_HOUR = """
SELECT $__timeGroupAlias(start, 1h), count(DISTINCT device_id) AS devices
FROM rollup_hour WHERE $__timeFilter(start) GROUP BY 1 ORDER BY 1
"""
_BY_HOUR = """
SELECT $__timeGroupAlias(start, 1h), sum(count) AS measurements
FROM rollup_hour WHERE $__timeFilter(start) GROUP BY 1 ORDER BY 1
"""
# Days are compared first, and only the fields that were new on a device's last day are looked up.
_SILENT = """
SELECT coalesce(device_name.name, 'device ' || old.device_id) AS device,
    extract(epoch FROM now() - max(m.time)) AS "silent for", max(m.time) AS "last measurement"
FROM (SELECT device_id, max(newest_from) AS newest_from FROM series GROUP BY device_id ORDER BY 2 LIMIT 50) old
JOIN series s ON s.device_id = old.device_id AND s.newest_from = old.newest_from
JOIN LATERAL (
    SELECT time FROM measurement m
    WHERE m.device_id = s.device_id AND m.field_id = s.field_id
        AND m.time >= s.newest_from AND m.time < s.newest_from + interval '1 day'
    ORDER BY m.time DESC LIMIT 1
) m ON true
LEFT JOIN device_name ON device_name.device_id = old.device_id
GROUP BY 1 ORDER BY 2 DESC LIMIT 20
"""
_WEAKEST = """
SELECT coalesce(device_name.name, 'device ' || r.device_id) AS device,
    sum(sum) FILTER (WHERE field.name = 'link.snr') / sum(numbers) FILTER (WHERE field.name = 'link.snr') AS snr,
    sum(sum) FILTER (WHERE field.name = 'link.rssi') / sum(numbers) FILTER (WHERE field.name = 'link.rssi') AS rssi
FROM rollup_hour r JOIN field ON field.id = r.field_id
LEFT JOIN device_name ON device_name.device_id = r.device_id
WHERE field.name IN ('link.snr', 'link.rssi') AND $__timeFilter(start)
GROUP BY 1 ORDER BY 2 LIMIT 20
"""


def board() -> Board:
    made = Board("inflight-fleet", "Inflight: fleet", "Traffic of the whole network, and the devices that need a look.")
    _numbers(made)
    _radio(made)
    made.add(curve("Devices by hour", _HEARD_BY_HOUR, "Devices with a measurement in that hour.", bars=True))
    made.add(curve("Measurements", _BY_HOUR, "As they are stored, by the hour of their own time.", bars=True))
    silent = "Devices by the age of their newest measurement."
    made.add(table("Silent the longest", sql(_SILENT), silent, {"silent for": "s"}))
    weakest = "Devices by the mean SNR at the gateway that heard them best."
    made.add(table("Weakest links", sql(_WEAKEST), weakest, {"snr": "dB", "rssi": "dBm"}))
    return made


def _numbers(made: Board) -> None:
    accepted = rate("lns_uplinks_total", where='{outcome="accepted"}')
    refused = share("lns_uplinks_total", '{outcome="refused"}')
    of_others = "Share of frames that were refused; those of neighbours' devices are among them."
    behind = "How far the slowest consumer is behind the log."
    made.add(stat("Sessions", prom(("sum(lns_sessions)", "")), about="Device sessions in memory."), 4)
    made.add(stat("Gateways", prom(('sum(lns_gateways{state="accepted"})', "")), about="Accepted ones."), 4)
    made.add(stat("Uplinks a minute", prom((f"{accepted} * 60", ""))), 4)
    made.add(stat("Refused", prom((refused, "")), "percentunit", of_others), 4)
    made.add(stat("Devices heard", sql(_HEARD), about="Devices with a measurement in the hours that are shown."), 4)
    made.add(stat("Records behind", prom(("max(lns_consumer_lag_records)", "")), about=behind, red_from=100_000), 4)


def _radio(made: Board) -> None:
    lead, commit = "lns_downlink_lead_ms", "lns_exchange_commit_ms"
    in_time = "A downlink that leaves with nothing left is late: a longer RX1 delay or a faster way helps."
    uplinks = prom((rate("lns_uplinks_total", "outcome"), "{{outcome}}"))
    refusals = prom((rate("lns_refusals_total", "reason"), "{{reason}}"))
    joins = prom((rate("lns_joins_total", "result"), "{{result}}"))
    downlinks = prom((rate("lns_downlinks_total", "kind, outcome"), "{{kind}} {{outcome}}"))
    left = prom((quantile(0.05, lead), "5 % have less"), (quantile(0.5, lead), "median"))
    commits = prom((quantile(0.5, commit), "median"), (quantile(0.99, commit), "99 %"))
    made.add(graph("Uplinks by outcome", uplinks, stacked=True))
    made.add(graph("Refused frames by reason", refusals, stacked=True))
    made.add(graph("Join-requests by result", joins))
    made.add(graph("Downlinks by kind and outcome", downlinks))
    made.add(graph("Gateways per uplink", prom((mean("lns_dedup_copies"), "mean")), "short"), 8)
    made.add(graph("Time left before the receive window", left, "ms", in_time), 8)
    made.add(graph("Time of a commit", commits, "ms", "Above 100 ms the disk is slow."), 8)
