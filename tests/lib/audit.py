"""The audit as tests end with it."""

import json

from .wait import wait_until


def findings(service):
    """What `manman audit` finds, of any age; a service or a cluster."""
    for code in (0, 7):
        try:
            return json.loads(service.cli("-o", "json", "audit", "--older-than", "0s", expect=code).stdout)["items"]
        except AssertionError as error:
            said = error
    raise said


def wait_nothing_found(service, seconds=60):
    """Deleters and cancels come to rest first."""
    last = []

    def nothing():
        last[:] = findings(service)
        return not last
    try:
        wait_until(nothing, seconds, "the audit to find nothing", 0.2)
    except AssertionError as error:
        raise AssertionError(f"{error}: {last}") from None
