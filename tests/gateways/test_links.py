"""Who may speak: acceptance, flood and address limits, with time passed by hand."""

from lns.config import Udp
from lns.gateways.link import Limit, Link, Path, State
from lns.gateways.links import MAX_STRANGERS, GatewayEvent, Happening, Links

EUI = "ce0513ae8d021d81"
KEY = bytes.fromhex(EUI)
HOME = ("192.0.2.1", 4000)
AWAY = ("198.51.100.7", 4000)


def admit(links: Links, now: float = 0.0, address: tuple[str, int] = HOME, path: Path = Path.PULL) -> Link | Limit:
    return links.admit(KEY, path, address, now, int(now * 1e6))


def happenings(links: Links) -> list[Happening]:
    return [event.happening for event in links.take_events()]


# --- acceptance


def test_an_unknown_gateway_is_listed_but_not_accepted() -> None:
    links = Links(Udp())
    link = admit(links, 5.0)
    assert isinstance(link, Link)
    assert (link.state, link.label, link.first_seen_at_us) == (State.SEEN, "unknown", 5_000_000)
    assert links.take_events() == [GatewayEvent(Happening.SEEN, EUI, State.SEEN, 5_000_000, "192.0.2.1")]
    assert links.get(EUI) is link
    assert admit(links, 6.0) is link
    assert (link.first_seen_at_us, link.last_seen_at_us, link.datagrams) == (5_000_000, 6_000_000, 2)
    assert links.take_events() == []


def test_a_setting_accepts_every_gateway() -> None:
    links = Links(Udp(accept_unknown_gateways=True))
    link = admit(links)
    assert isinstance(link, Link)
    assert (link.state, link.label) == (State.ACCEPTED, EUI)


def test_an_accepted_gateway_keeps_what_is_known_of_it() -> None:
    links = Links(Udp())
    link = admit(links)
    links.accept(EUI, "US915")
    assert admit(links) is link
    assert isinstance(link, Link)
    assert (link.state, link.region, links.region(EUI)) == (State.ACCEPTED, "US915", "US915")
    links.accept(EUI.upper())
    assert (links.get(EUI), links.region(EUI)) == (link, None)


def test_loaded_gateways_are_accepted_before_they_call() -> None:
    links = Links(Udp())
    links.load([(EUI, "EU868"), ("0000000000000001", None)])
    assert [(link.eui, link.state, link.region) for link in links.all()] == [
        (EUI, State.ACCEPTED, "EU868"),
        ("0000000000000001", State.ACCEPTED, None),
    ]
    assert links.region("0000000000000002") is None


def test_a_blocked_gateway_is_dropped_even_where_all_are_accepted() -> None:
    links = Links(Udp(accept_unknown_gateways=True))
    links.block(EUI)
    assert admit(links) is Limit.BLOCKED
    assert [link.limited for link in links.all()] == [{Limit.BLOCKED: 1}]


def test_a_forgotten_gateway_is_a_stranger_again() -> None:
    links = Links(Udp())
    links.accept(EUI)
    links.forget(EUI)
    assert links.all() == []
    link = admit(links)
    assert isinstance(link, Link)
    assert link.state is State.SEEN
    links.forget(EUI)
    assert links.get(EUI) is None


def test_gauges_count_states_and_round_trips() -> None:
    links = Links(Udp())
    links.load([("0000000000000001", None), ("0000000000000002", None)])
    links.block("0000000000000003")
    admit(links)
    link = links.get("0000000000000002")
    assert link is not None
    link.answered(None, 25.0)
    assert list(links.by_state()) == [(("seen",), 1), (("accepted",), 2), (("blocked",), 1)]
    assert list(links.round_trips()) == [(("0000000000000002",), 25.0)]
    assert [shown["eui"] for shown in links.snapshot()] == [
        "0000000000000001",
        "0000000000000002",
        "0000000000000003",
        EUI,
    ]


# --- floods


def test_a_flooding_gateway_is_dropped_counted_and_reported_once() -> None:
    links = Links(Udp(max_datagrams_per_s=100))
    links.accept(EUI)
    results = [admit(links, 50.0) for _ in range(130)]
    assert results.count(Limit.FLOODING) == 30
    link = links.get(EUI)
    assert link is not None
    assert (link.limited, link.datagrams) == ({Limit.FLOODING: 30}, 100)
    assert links.take_events() == [GatewayEvent(Happening.FLOODING, EUI, State.ACCEPTED, 50_000_000, "192.0.2.1")]
    assert isinstance(admit(links, 50.02), Link)
    assert [admit(links, 61.0) for _ in range(101)].count(Limit.FLOODING) == 1
    assert happenings(links) == [Happening.FLOODING]


def test_a_flooding_gateway_takes_nothing_from_another() -> None:
    links = Links(Udp(max_datagrams_per_s=1))
    links.load([(EUI, None), ("0000000000000001", None)])
    assert admit(links) is not Limit.FLOODING
    assert admit(links) is Limit.FLOODING
    assert isinstance(links.admit(bytes.fromhex("0000000000000001"), Path.PUSH, HOME, 0.0, 0), Link)


def test_strangers_share_one_rate_until_accepted() -> None:
    links = Links(Udp(max_datagrams_per_s=10))
    results = [links.admit(number.to_bytes(8), Path.PUSH, HOME, 0.0, 0) for number in range(20)]
    assert [isinstance(result, Link) for result in results] == [True] * 10 + [False] * 10
    links.accept("0000000000000013")
    assert isinstance(links.admit(bytes.fromhex("0000000000000013"), Path.PUSH, HOME, 0.0, 0), Link)


def test_strangers_are_remembered_up_to_a_number_the_silent_ones_forgotten_first() -> None:
    links = Links(Udp())
    for number in range(MAX_STRANGERS):
        links.admit(number.to_bytes(8), Path.PUSH, HOME, number / 100, 0)
    for number in (0, MAX_STRANGERS):
        links.admit(number.to_bytes(8), Path.PUSH, HOME, 1000.0, 0)
    euis = [link.eui for link in links.all()]
    assert len(euis) == MAX_STRANGERS
    assert (euis[0], euis[-2], euis[-1]) == ("0000000000000002", "0000000000000000", "0000000000002710")


def test_more_new_strangers_than_can_be_looked_at_are_dropped_and_reported_once() -> None:
    links = Links(Udp(accept_unknown_gateways=True))
    results = [links.admit(number.to_bytes(8), Path.PUSH, HOME, 0.0, 0) for number in range(1200)]
    assert results.count(Limit.FLOODING) == 200
    assert happenings(links).count(Happening.FLOODING) == 1
    assert len(links.all()) == 1000
    # those already listed are not held up
    assert isinstance(links.admit((0).to_bytes(8), Path.PUSH, HOME, 0.0, 0), Link)


# --- addresses


def test_a_new_port_is_no_change_of_address() -> None:
    links = Links(Udp())
    links.accept(EUI)
    for port in (4000, 4001, 4002):
        for path in Path:
            assert isinstance(admit(links, address=("192.0.2.1", port), path=path), Link)
    link = links.get(EUI)
    assert link is not None
    assert (link.address_changes, link.push_address) == (0, ("192.0.2.1", 4002))
    assert links.take_events() == []


def test_a_gateway_may_move_once_per_hold_time() -> None:
    links = Links(Udp(address_change_hold_s=10.0))
    links.accept(EUI)
    admit(links, 100.0, HOME)
    assert isinstance(admit(links, 101.0, AWAY), Link)
    assert links.take_events() == [
        GatewayEvent(Happening.ADDRESS_CHANGED, EUI, State.ACCEPTED, 101_000_000, "198.51.100.7", "192.0.2.1")
    ]
    assert [admit(links, at, HOME) for at in (102.0, 110.9)] == [Limit.ADDRESS_CHANGE] * 2
    assert links.take_events() == [
        GatewayEvent(Happening.ADDRESS_REFUSED, EUI, State.ACCEPTED, 102_000_000, "192.0.2.1", "198.51.100.7")
    ]
    assert isinstance(admit(links, 110.9, AWAY), Link)
    assert isinstance(admit(links, 111.0, HOME), Link)
    link = links.get(EUI)
    assert link is not None
    assert (link.address_changes, link.limited) == (2, {Limit.ADDRESS_CHANGE: 2})


def test_the_second_socket_follows_a_move_as_part_of_it() -> None:
    links = Links(Udp())
    links.accept(EUI)
    for path in Path:
        admit(links, 0.0, HOME, path)
    for path in Path:
        assert isinstance(admit(links, 1.0, AWAY, path), Link)
    assert happenings(links) == [Happening.ADDRESS_CHANGED]
    # and now both are held
    assert [admit(links, 2.0, HOME, path) for path in Path] == [Limit.ADDRESS_CHANGE] * 2


def test_two_sockets_on_two_hosts_of_one_nat_are_at_peace() -> None:
    links = Links(Udp())
    links.accept(EUI)
    for at in range(20):
        assert isinstance(admit(links, at, HOME, Path.PUSH), Link)
        assert isinstance(admit(links, at, AWAY, Path.PULL), Link)
    assert happenings(links) == [Happening.ADDRESS_CHANGED]


def test_a_hold_time_of_zero_follows_every_move() -> None:
    links = Links(Udp(address_change_hold_s=0.0))
    links.accept(EUI)
    for address in (HOME, AWAY) * 3:
        assert isinstance(admit(links, 1.0, address), Link)
