"""Where the programs under test are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _program(variable, default):
    path = Path(os.environ.get(variable) or ROOT / "build/release" / default)
    if not path.exists():
        raise SystemExit(f"{path} is not there: build it, or set {variable}")
    return path.resolve()


def manman():
    return _program("MANMAN_BIN", "manman")


def s3_conformance():
    return _program("MANMAN_S3_CONFORMANCE", "s3_conformance")


def s3_driver():
    return _program("MANMAN_S3_DRIVER", "s3_driver")


def sample_game():
    """The sample game's program, whatever folder of the build it stands in."""
    default = "sample-game/sample-game"
    if not (ROOT / "build/release" / default).exists():
        default = "sample-game"
    return _program("MANMAN_SAMPLE_GAME", default)


def conformance(name):
    """A program of tests/conformance."""
    folder = Path(os.environ.get("MANMAN_CONFORMANCE") or ROOT / "build/release/conformance")
    if not (folder / name).exists():
        raise SystemExit(f"{folder / name} is not there: build it, or set MANMAN_CONFORMANCE")
    return (folder / name).resolve()


def test_program(name):
    """A test program in C++, which stands beside the real one."""
    folder = Path(os.environ["MANMAN_BIN"]).parent if "MANMAN_BIN" in os.environ else ROOT / "build/release"
    if not (folder / name).exists():
        raise SystemExit(f"{folder / name} is not there: build it")
    return folder / name


def cache():
    """A folder for what is fetched or made once and used by several tests."""
    folder = Path(os.environ.get("MANMAN_TEST_CACHE") or ROOT / "build/test-cache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
