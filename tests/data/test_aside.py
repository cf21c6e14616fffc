"""A driver works in a thread of its own: Ctrl-C comes at once, and a call that hangs holds nobody."""

from __future__ import annotations

import threading
import time

import pytest

from distfit_counts.data.engines.aside import Aside


def interrupt() -> None:
    """As Ctrl-C does where the main thread waits."""
    raise KeyboardInterrupt


def test_answers_and_errors_come_through() -> None:
    aside = Aside(lambda: 0.0, lambda: None)
    assert aside.do(lambda: threading.current_thread() is threading.main_thread()) is False
    with pytest.raises(ZeroDivisionError):
        aside.do(lambda: 1 / 0)
    done: list[bool] = []
    aside.end(lambda: done.append(True))
    assert done


def test_whoever_waits_is_told() -> None:
    told: list[float] = []
    aside = Aside(lambda: 0.0, lambda: told.append(time.monotonic()))
    aside.do(lambda: time.sleep(0.35))
    aside.end(lambda: None)
    assert 2 <= len(told) <= 4


def test_ctrl_c_cancels_the_call_and_waits_for_its_end() -> None:
    cancelled, ended = threading.Event(), threading.Event()

    def call() -> None:
        assert cancelled.wait(10)
        time.sleep(0.05)
        ended.set()

    def cancel() -> float:
        cancelled.set()
        return 10.0

    aside = Aside(cancel, interrupt)
    with pytest.raises(KeyboardInterrupt):
        aside.do(call)
    assert ended.is_set()
    closed: list[bool] = []
    with pytest.raises(KeyboardInterrupt):  # closing, too, can be interrupted
        aside.end(lambda: closed.append(time.sleep(0.2) is None))


def test_a_call_that_does_not_end_holds_nobody() -> None:
    free = threading.Event()

    def cancel() -> float:
        raise OSError("the server is gone")

    aside = Aside(cancel, interrupt)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        aside.do(lambda: free.wait(10))
    aside.end(lambda: pytest.fail("it would wait behind the call"))
    assert time.monotonic() - begun < 1.0
    free.set()
