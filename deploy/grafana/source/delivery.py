"""The way from the log to stores and outlets."""

from deploy.grafana.source.board import Board, graph, mean, prom, rate, sql, stat, table

_SET_ASIDE = """
SELECT code, state, count(*) AS rows, to_timestamp(max(at_us) / 1e6) AS newest
FROM rejected GROUP BY 1, 2 ORDER BY 3 DESC
"""


def board() -> Board:
    about = "The way from the log to stores and outlets."
    made = Board("inflight-delivery", "Inflight: delivery", about, "now-6h")
    _numbers(made)
    _log(made)
    _stores(made)
    _outlets(made)
    return made


def _numbers(made: Board) -> None:
    failed = prom(("sum (increase(lns_outlet_errors_total[$__range]))", ""))
    rejected = prom(("sum (increase(lns_measurements_rejected_total[$__range]))", ""))
    behind = "How far the slowest consumer is behind the log."
    again = "In the time that is shown; each is tried again."
    aside = "Measurements that a store could not take, in the time that is shown."
    made.add(stat("Records behind", prom(("max(lns_consumer_lag_records)", "")), about=behind, red_from=100_000), 4)
    made.add(stat("Appended a second", prom((rate("lns_exchange_appended_total"), ""))), 4)
    made.add(stat("Stored a second", prom((rate("lns_measurements_stored_total"), ""))), 4)
    made.add(stat("Delivered a second", prom((rate("lns_outlet_delivered_total"), ""))), 4)
    made.add(stat("Failed deliveries", failed, about=again, red_from=1), 4)
    made.add(stat("Set aside", rejected, about=aside, red_from=1), 4)


def _log(made: Board) -> None:
    lag = prom(("max by (consumer) (lns_consumer_lag_records)", "{{consumer}}"))
    errors = prom((rate("lns_consumer_errors_total", "consumer"), "{{consumer}}"))
    appended = prom((rate("lns_exchange_appended_total", "topic"), "{{topic}}"))
    made.add(graph("Behind the log", lag, "short", "A consumer that is down costs disk space, never data."))
    made.add(graph("Failed batches", errors, about="Each is tried again, with growing pauses."))
    made.add(graph("Appended by topic", appended))
    made.add(graph("Records in one commit", prom((mean("lns_exchange_commit_records"), "mean")), "short"))


def _stores(made: Board) -> None:
    stored = prom((rate("lns_measurements_stored_total", "store"), "{{store}}"))
    rejected = prom((rate("lns_measurements_rejected_total", "store, reason"), "{{store}} {{reason}}"))
    held = prom((rate("lns_measurements_suppressed_total", "reason"), "{{reason}}"))
    made.add(graph("Measurements stored", stored))
    made.add(graph("Measurements held back", held, about="Values that did not change, and limits of rate."))
    archived = prom((rate("lns_archive_uplinks_total"), "uplinks"))
    backfilled = prom(
        (rate("lns_backfill_rows_total", "store"), "rows into {{store}}"),
        (rate("lns_backfill_messages_total", "outlet"), "messages to {{outlet}}"),
    )
    made.add(graph("Measurements set aside", rejected, about="By store and reason."))
    made.add(table("Set aside in PostgreSQL", sql(_SET_ASIDE), "By reason: lns series rejected lists the rows."))
    made.add(graph("Written to the archive", archived))
    made.add(graph("Backfilled", backfilled, about="What was missing and is there again."))


def _outlets(made: Board) -> None:
    delivered = prom((rate("lns_outlet_delivered_total", "outlet, topic"), "{{outlet}} {{topic}}"))
    failed = prom((rate("lns_outlet_errors_total", "outlet, reason"), "{{outlet}} {{reason}}"))
    made.add(graph("Messages delivered", delivered))
    waiting = prom(("sum by (outlet) (lns_outlet_open)", "{{outlet}}"))
    held = prom(("max by (outlet, reason) (lns_outlet_held)", "{{outlet}} {{reason}}"))
    made.add(graph("Deliveries that failed", failed, about="By outlet and reason; each is tried again."))
    made.add(graph("Still to be delivered", waiting, "short"))
    made.add(graph("Outlets that are held", held, "short", "Paused by a person, disabled, or failing for the moment."))
