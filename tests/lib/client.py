"""A gRPC client of manman.v1, generated while the test runs; shares no code with the product."""

import atexit
import importlib
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc  # noqa: E402  (the variable above must be set first)
from grpc_tools import protoc  # noqa: E402

from . import paths  # noqa: E402
from .wait import wait_until  # noqa: E402

CALL_TIMEOUT = 60
_compiled = {}


def compile_proto(proto_dir, name):
    """Generates and imports (messages, services) of {proto_dir}/{name}."""
    key = (str(proto_dir), name)
    if key not in _compiled:
        out = tempfile.mkdtemp(prefix="manman-test-stubs-")
        atexit.register(shutil.rmtree, out, True)
        code = protoc.main(["protoc", f"-I{proto_dir}", f"--python_out={out}",
                            f"--grpc_python_out={out}", str(Path(proto_dir) / name)])
        if code != 0:
            raise AssertionError(f"protoc does not take {name}")
        sys.path.insert(0, out)
        importlib.invalidate_caches()
        module = name.removesuffix(".proto").replace("/", ".")
        _compiled[key] = (importlib.import_module(module + "_pb2"),
                          importlib.import_module(module + "_pb2_grpc"))
    return _compiled[key]


class Api:
    """Calls by name: api.GetBackup(backup_id=5).backup. A refusal raises grpc.RpcError."""

    def __init__(self, address):
        self.pb, services = compile_proto(paths.ROOT / "proto", "manman/v1/manman.proto")
        self.channel = grpc.insecure_channel(address)
        self.stub = services.ManManAPIStub(self.channel)

    def close(self):
        self.channel.close()

    def __getattr__(self, method):
        if not method[:1].isupper():
            raise AttributeError(method)
        call = getattr(self.stub, method)
        request = getattr(self.pb, method + "Request")
        return lambda **fields: call(request(**fields), timeout=CALL_TIMEOUT)

    def all(self, method, field, **fields):
        """Every row of a list, page by page."""
        rows, token = [], ""
        while True:
            page = getattr(self, method)(page_token=token, **fields)
            rows += getattr(page, field)
            token = page.next_page_token
            if not token:
                return rows

    def backups(self, **fields):
        return self.all("ListBackups", "backups", **fields)

    def sessions(self, **fields):
        return self.all("ListSessions", "sessions", **fields)

    def wait_backup(self, backup_id, timeout=60):
        """The backup once it is completed, failed or cancelled."""
        def ended():
            backup = self.GetBackup(backup_id=backup_id).backup
            return backup if backup.status in ("completed", "failed", "cancelled") else None
        return wait_until(ended, timeout, f"backup {backup_id} to end")

    def wait_session(self, session_id, *statuses, timeout=60):
        """The session once it has one of these statuses; an end that is not among them fails."""
        def there():
            session = self.GetSession(session_id=session_id).session
            if session.status in statuses:
                return session
            if session.status in ("stopped", "crashed", "completed"):
                raise AssertionError(f"session {session_id} is {session.status}, not one of "
                                     f"{statuses}: {session.error_message}")
            return None
        return wait_until(there, timeout, f"session {session_id} to be {'/'.join(statuses)}")


@contextmanager
def refused(code, *fragments):
    """The block must be refused with this gRPC code and a message that holds each fragment."""
    try:
        yield
    except grpc.RpcError as error:
        if error.code() != code:
            raise AssertionError(f"refused with {error.code().name}, not {code.name}: "
                                 f"{error.details()}") from error
        for fragment in fragments:
            if fragment not in error.details():
                raise AssertionError(f"the refusal does not say {fragment!r}: "
                                     f"{error.details()!r}") from error
        return
    raise AssertionError(f"was not refused; {code.name} was due")
