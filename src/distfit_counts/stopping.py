"""Signals that end the command, answered as Ctrl-C is: what is half written is removed, what can be kept is kept."""

from __future__ import annotations

import signal
from types import FrameType

# SIGHUP: the terminal is closed. Windows has none.
_SIGNALS = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
_received: list[int] = []


def listen() -> None:
    """Have them raise KeyboardInterrupt, but for those that whoever started us has ignored, as nohup does."""
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    # The second one ends everything at once.
    signal.signal(number, signal.SIG_DFL)
    _received.append(number)
    raise KeyboardInterrupt


def exit_code() -> int:
    """As a shell says it: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + (_received[-1] if _received else signal.SIGINT)
