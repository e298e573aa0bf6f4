"""Waiting for conditions instead of sleeping for a guessed time."""

import time


def wait_until(condition, timeout, what, interval=0.05):
    """Calls condition() until it returns something true, and returns that.

    After `timeout` seconds: AssertionError saying what was waited for, and what condition()
    returned last.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout} s for {what}; last seen: {value!r}")
        time.sleep(interval)
