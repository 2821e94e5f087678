"""Which gateways send a multicast frame: the fewest that reach every member, and which of them at the same time. Pure.

The smallest set is not worth its search (set cover is NP-complete): take the gateway that reaches most of those that
are left, again and again, then drop each one that the others have made needless.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

ENOUGH_DB = 5.0
"""Margin above the demodulation floor with which a member counts as reached: so much do links change by the hour."""

Member = TypeVar("Member", bound=Hashable)

Heard = Mapping[Member, Sequence[tuple[str, float]]]
"""By member: the gateways that heard it lately, with the link margin in dB a downlink would have there."""


class Cover(msgspec.Struct, Generic[Member], frozen=True):
    """`gateways` reach all members but the `unheard`; `weak` members are reached with little margin."""

    gateways: tuple[str, ...]
    weak: tuple[Member, ...]
    unheard: tuple[Member, ...]


def cover(heard: Heard[Member]) -> Cover[Member]:
    """Choose gateways for all members in `heard`."""
    reachable_by: dict[Member, list[str]] = {}
    weak, unheard = [], []
    for member, gateways in heard.items():
        if not gateways:
            unheard.append(member)
            continue
        good = [eui for eui, margin_db in gateways if margin_db >= ENOUGH_DB]
        if not good:
            weak.append(member)
            good = [max(gateways, key=lambda gateway: gateway[1])[0]]
        reachable_by[member] = good
    chosen = _without_needless(_greedy(reachable_by), reachable_by)
    return Cover(tuple(chosen), tuple(weak), tuple(unheard))


def _greedy(reachable_by: Mapping[Member, Sequence[str]]) -> list[str]:
    """Gateways in the order in which each reaches most of the members that are left."""
    members_of: dict[str, list[Member]] = {}
    for member, gateways in reachable_by.items():
        for eui in gateways:
            members_of.setdefault(eui, []).append(member)
    left = {eui: len(members) for eui, members in members_of.items()}
    reached: set[Member] = set()
    chosen = []
    while len(reached) < len(reachable_by):
        best = min(left, key=lambda eui: (-left[eui], eui))
        chosen.append(best)
        for member in members_of[best]:
            if member not in reached:
                reached.add(member)
                for eui in reachable_by[member]:
                    left[eui] -= 1
    return chosen


def _without_needless(chosen: Sequence[str], reachable_by: Mapping[Member, Sequence[str]]) -> list[str]:
    """The same without those whose members all are reached by others; the last chosen reach least and go first."""
    needed = set(chosen)
    by_member = [[eui for eui in gateways if eui in needed] for gateways in reachable_by.values()]
    by_gateway: dict[str, list[list[str]]] = {}
    for senders in by_member:
        for eui in senders:
            by_gateway.setdefault(eui, []).append(senders)
    for eui in reversed(chosen):
        if all(len(senders) > 1 for senders in by_gateway[eui]):
            needed.discard(eui)
            for senders in by_gateway[eui]:
                senders.remove(eui)
    return [eui for eui in chosen if eui in needed]


def rounds(gateways: Sequence[str], heard: Iterable[Sequence[tuple[str, float]]]) -> list[list[str]]:
    """Gateways grouped so that no member hears two of one group, whose frames would spoil each other there."""
    wanted = set(gateways)
    rivals: dict[str, set[str]] = {eui: set() for eui in gateways}
    for around in heard:
        present = [eui for eui, _ in around if eui in wanted]
        for eui in present:
            rivals[eui].update(present)
    groups: list[list[str]] = []
    # those with most rivals first: the others find room beside them (Welsh and Powell)
    for eui in sorted(gateways, key=lambda eui: (-len(rivals[eui]), eui)):
        for group in groups:
            if rivals[eui].isdisjoint(group):
                group.append(eui)
                break
        else:
            groups.append([eui])
    return groups
