"""Runs one fuzzer: run.py BUILD-FOLDER NAME. First all inputs of fuzz/regressions/NAME, then
FUZZ_SECONDS (20) of new ones, from the seeds of make_seeds.py and what earlier runs found.

FUZZ_SEED repeats a run as far as time allows. A finding is kept in BUILD-FOLDER/findings/NAME."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Which seeds a fuzzer begins with, and how long its inputs may be.
SEEDS = {"tar": ("tar", 32_768), "gzip": ("gzip", 16_384), "index": ("archive", 16_384), "archive": ("archive", 16_384),
         "region": ("region", 40_960)}


def environment():
    options = {"ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=16", "UBSAN_OPTIONS": "print_stacktrace=1"}
    symbolizer = shutil.which("llvm-symbolizer-19") or shutil.which("addr2line")
    if symbolizer:
        options["ASAN_SYMBOLIZER_PATH"] = symbolizer
    return {**os.environ, **options}


def main():
    build, name = Path(sys.argv[1]), sys.argv[2]
    seconds = int(os.environ.get("FUZZ_SECONDS", "20"))
    seeds, max_size = SEEDS[name]
    corpus, findings = build / "corpus" / name, build / "findings" / name
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    program = build / f"{name}_fuzz"
    common = [f"-artifact_prefix={findings}/", "-timeout=120", "-rss_limit_mb=1024"]
    known = sorted((HERE / "regressions" / name).glob("*"))
    if known:
        subprocess.run([program, *common, *known], env=environment(), check=True)
    seed = os.environ.get("FUZZ_SEED", "0")
    done = subprocess.run([program, *common, f"-max_total_time={seconds}", f"-max_len={max_size}", f"-seed={seed}",
                           "-print_final_stats=1", corpus, build / "seeds" / seeds], env=environment(), check=False)
    if done.returncode != 0:
        sys.exit(f"{name}: a finding, kept in {findings}. Run it alone:  {program} FILE\n"
                 f"Once mended it belongs in fuzz/regressions/{name}/, named after what it was.")


if __name__ == "__main__":
    main()
