"""Ends a long command at Ctrl-C and at a request to end, soon and with what it began taken back.

Python gives a handler its turn between two of its own instructions, and DuckDB runs long within one. So a thread reads
the signals as well, which the system writes into a pipe at once, and interrupts DuckDB until the command has ended.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A query may begin just after an interrupt that was meant for it: seconds until the next one.
AGAIN = 0.05
#: Shells tell a process that a signal ended by this and its number.
BY_SIGNAL = 128

_received: list[int] = []


def stopped_by() -> int | None:
    """Return the signal that asked the command to end, None where none did."""
    return _received[0] if _received else None


def forget() -> None:
    """Forget what asked an earlier command of this process to end."""
    _received.clear()


@contextmanager
def stoppable(interrupt: Callable[[], None]) -> Iterator[None]:
    """Raise KeyboardInterrupt in what follows when a signal asks for its end; ``interrupt`` ends what DuckDB is at."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # Whoever started the command may have it ignore some, as nohup does.
    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _stop) for number in heard}
    former = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(reader, over, interrupt), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(former)
        os.close(writer)
        watcher.join()
        os.close(reader)
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    _received.append(number)
    raise KeyboardInterrupt


def _watch(reader: int, over: threading.Event, interrupt: Callable[[], None]) -> None:
    """Wait for a signal of SIGNALS, or the end of the pipe; then interrupt until it is over."""
    while byte := os.read(reader, 1):
        if byte[0] in SIGNALS:
            interrupt()
            break
    while byte and not over.wait(AGAIN):
        interrupt()
