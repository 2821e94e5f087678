"""CPU time of a block in this process."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def cpu() -> Iterator[Callable[[], float]]:
    """CPU seconds of this process inside the block; nothing is collected meanwhile, as in `timeit`."""
    gc.collect()
    gc.disable()
    used = began = time.process_time()
    try:
        yield lambda: used - began
    finally:
        used = time.process_time()
        gc.enable()
