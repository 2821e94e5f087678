"""What decoders cost, how often they fail, and which of them are set aside."""

from deploy.grafana.source.board import Board, graph, prom, quantile, rate, share, sql, stat, table

_FIELDS = """
SELECT field.name AS field, count(*) AS devices, max(newest_from) AS "newest day"
FROM series JOIN field ON field.id = field_id GROUP BY 1 ORDER BY 2 DESC, 1
"""
# A row that was set aside can hold NaN or half a surrogate, which json would refuse.
_REJECTED = r"""
SELECT substring("row" from '^\[-?[0-9]+, "([^"]*)"') AS field, code, count(*) AS rows, max(reason) AS example
FROM rejected WHERE state = 'open' GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 100
"""
_FAILED = '{outcome!~"decoded|no_codec"}'


def board() -> Board:
    about = "What decoders cost, how often they fail, and which of them are set aside."
    made = Board("inflight-decoders", "Inflight: decoder health", about, "now-6h")
    _numbers(made)
    _graphs(made)
    made.add(
        table("Fields that devices have", sql(_FIELDS), "By number of devices; a misspelt name stands at the end.")
    )
    refused = "Set aside, by field and reason: the codec that gives them needs a look."
    made.add(table("Values that the store does not take", sql(_REJECTED), refused))
    return made


def _numbers(made: Board) -> None:
    decodes = "lns_decodes_total"
    decoded = prom((rate(decodes, where='{outcome="decoded"}'), ""))
    failed = prom((share(decodes, _FAILED, '{outcome!="no_codec"}'), ""))
    without = prom((share(decodes, '{outcome="no_codec"}'), ""))
    waiting = "Uplinks of codecs that do not answer, to be decoded later."
    made.add(stat("Decoded a second", decoded), 4)
    made.add(stat("Failed", failed, "percentunit", "Share of decodes that failed."), 4)
    made.add(stat("Without a codec", without, "percentunit", "Share of uplinks of devices that have none."), 4)
    made.add(stat("Waiting", prom(("sum(lns_decodes_waiting)", "")), about=waiting, red_from=1), 4)
    parked = prom(("sum(lns_decoders_parked)", ""))
    made.add(stat("Codecs set aside", parked, about="lns codec quarantine lists them.", red_from=1), 4)
    restarts = prom(("sum(lns_decoder_restarts)", ""))
    made.add(stat("Workers replaced", restarts, about="Since the server's start.", red_from=1), 4)


def _graphs(made: Board) -> None:
    outcomes = prom((rate("lns_decodes_total", "outcome"), "{{outcome}}"))
    failures = prom((rate("lns_decodes_total", "outcome", _FAILED), "{{outcome}}"))
    slow = prom((quantile(0.95, "lns_decode_us", "codec"), "{{codec}}"))
    busy = prom((f"{rate('lns_decode_us_sum', 'codec')} / 1e6", "{{codec}}"))
    each = prom((rate("lns_decode_us_count", "codec"), "{{codec}}"))
    restarts = prom(("sum by (cause) (lns_decoder_restarts)", "{{cause}}"))
    causes = "stuck, memory, crash: a script's fault; killed: somebody else's."
    made.add(graph("Decodes by outcome", outcomes, stacked=True))
    made.add(graph("Failures by reason", failures, stacked=True))
    made.add(graph("Time of a decode, 95 %", slow, "µs"))
    made.add(graph("Processor time by codec", busy, "percentunit", "1 is one processor.", stacked=True))
    made.add(graph("Decodes by codec", each))
    made.add(graph("Workers replaced by cause", restarts, "short", causes))
