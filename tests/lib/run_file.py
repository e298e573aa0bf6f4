"""Runs one test file, as ctest does: run_file.py FILE [Class[.test]…].

Ends before ctest's own time limit, so that what the tests started is cleaned up, and prints after
a failure how to run that one test again.
"""

import faulthandler
import importlib.util
import os
import shlex
import signal
import sys
import unittest
from pathlib import Path


def _load(path):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _suite(module, names):
    loader = unittest.defaultTestLoader
    if names:
        return loader.loadTestsFromNames(names, module)
    return loader.loadTestsFromModule(module)


def _limit_time():
    limit = int(os.environ.get("MANMAN_TEST_TIMEOUT", "0"))
    if limit <= 0:
        return

    def out_of_time(*_):
        faulthandler.dump_traceback(all_threads=True)
        raise TimeoutError(f"the test file took longer than {limit} s")

    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(limit)


def _rerun_line(path, test):
    settings = [f"{name}={shlex.quote(os.environ[name])}"
                for name in ("MANMAN_BIN", "MANMAN_SAMPLE_GAME", "MANMAN_CONFORMANCE") if name in os.environ]
    name = test.id().removeprefix(path.stem + ".").split(" ")[0]
    me = Path(__file__).resolve()
    return " ".join([*settings, "/usr/bin/python3", str(me), str(path), name])


def main():
    path = Path(sys.argv[1]).resolve()
    _limit_time()
    suite = _suite(_load(path), sys.argv[2:])
    if suite.countTestCases() == 0:
        sys.exit(f"{path} holds no test")
    result = unittest.TextTestRunner(verbosity=2, buffer=False).run(suite)
    signal.alarm(0)
    failed = {getattr(test, "test_case", test) for test, _ in result.failures + result.errors}
    for test in failed:
        print(f"rerun this one alone:\n  {_rerun_line(path, test)}", flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
