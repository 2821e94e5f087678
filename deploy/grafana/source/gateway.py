"""What each gateway hears and sends, and what is lost between it and the server."""

from deploy.grafana.source.board import Board, graph, prom, prom_now, prom_variable, rate, stat, table

_CHOSEN = '{gateway=~"$gateway"}'
_RECEIVED = '{gateway=~"$gateway", outcome="received"}'
_UNUSABLE = '{gateway=~"$gateway", outcome!="received"}'
_FINE = "ok|sent|accepted"


def board() -> Board:
    about = "What each gateway hears and sends, and what is lost between it and the server."
    made = Board("inflight-gateway", "Inflight: gateways", about, "now-6h")
    made.variables.append(prom_variable("gateway", "Gateway", "label_values(lns_frames_total, gateway)"))
    _numbers(made)
    _frames(made)
    _datagrams(made)
    in_range = f"sum by (gateway) (increase(lns_frames_total{_RECEIVED}[$__range]))"
    made.add(table("Frames in the time that is shown", prom_now(in_range), "A gateway that hears nothing stands at 0."))
    return made


def _numbers(made: Board) -> None:
    received = rate("lns_frames_total", where=_RECEIVED)
    slowest = f"max(lns_gateway_round_trip_ms{_CHOSEN})"
    dropped = "No buffer was left for them: raise net.core.rmem_max."
    for state, about in (
        ("accepted", "Served."),
        ("seen", "Heard and not served yet: lns gateway accept."),
        ("blocked", "Not served, because a person said so."),
    ):
        made.add(stat(f"Gateways {state}", prom((f'sum(lns_gateways{{state="{state}"}})', "")), about=about), 4)
    made.add(stat("Frames a minute", prom((f"{received} * 60", ""))), 4)
    made.add(stat("Slowest round trip", prom((slowest, "")), "ms", "From PULL_RESP to TX_ACK, smoothed."), 4)
    made.add(stat("Lost datagrams", prom(("sum(lns_udp_receive_drops)", "")), about=dropped, red_from=1), 4)


def _frames(made: Board) -> None:
    problems = prom((rate("lns_gateway_problems_total", "gateway, problem", _CHOSEN), "{{gateway}} {{problem}}"))
    unusable = prom((rate("lns_frames_total", "gateway, outcome", _UNUSABLE), "{{gateway}} {{outcome}}"))
    trips = prom((f"max by (gateway) (lns_gateway_round_trip_ms{_CHOSEN})", "{{gateway}}"))
    limited = prom((rate("lns_gateway_limited_total", "gateway, reason"), "{{gateway}} {{reason}}"))
    made.add(graph("Frames received", prom((rate("lns_frames_total", "gateway", _RECEIVED), "{{gateway}}"))), 24)
    made.add(graph("Frames that could not be used", unusable))
    made.add(graph("Frames and fields that were bad", problems, about="bad_, crc_: frames; odd_: fields."))
    made.add(graph("Round trip", trips, "ms", "Downlinks leave earlier by this much."))
    made.add(graph("Dropped by a limit", limited, about="Too many, or from another address than before."))


def _datagrams(made: Board) -> None:
    fine = prom((rate("lns_datagrams_total", "type", f'{{outcome=~"{_FINE}"}}'), "{{type}}"))
    others = prom((rate("lns_datagrams_total", "type, outcome", f'{{outcome!~"{_FINE}"}}'), "{{type}} {{outcome}}"))
    late = prom((rate("lns_dedup_late_total", "outcome"), "{{outcome}}"))
    made.add(graph("Datagrams by type", fine))
    made.add(graph("Datagrams that were not ok", others))
    made.add(graph("Copies that came late", late, about="After their uplink was handled: the way is slow."))
