"""A queue that serves keys in turn, so that a codec that is slow or has much to do does not hold up the others."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """First in, first out within a key; one item per key and turn."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}  # in the order of the next turns
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, key: str, item: T) -> None:
        """Queue `item` as the last of its key."""
        self._queues.setdefault(key, deque()).append(item)
        self._size += 1

    def put_back(self, key: str, items: list[T]) -> None:
        """Queue `items` as the first of their key."""
        self._queues.setdefault(key, deque()).extendleft(reversed(items))
        self._size += len(items)

    def take(self, is_last: Callable[[str], bool] = lambda _: False) -> T:
        """The next item of the key whose turn it is; some keys come after all others. IndexError when there is none."""
        if not self._queues:
            raise IndexError("no item is queued")
        first = next(iter(self._queues))
        key = next((key for key in self._queues if not is_last(key)), first)
        queue = self._queues.pop(key)
        item = queue.popleft()
        if queue:
            self._queues[key] = queue
        self._size -= 1
        return item

    def take_all(self, key: str) -> list[T]:
        """Every item of `key`."""
        items = list(self._queues.pop(key, ()))
        self._size -= len(items)
        return items
