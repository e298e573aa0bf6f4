"""Adds up JUnit reports: prints "N passed, N failed" for all; 1 when one failed or is missing."""

import sys
import xml.etree.ElementTree as tree


def count(path):
    root = tree.parse(path).getroot()
    total, failed = int(root.get("tests")), int(root.get("failures"))
    skipped = int(root.get("skipped", 0)) + int(root.get("disabled", 0))
    return total - failed - skipped, failed, skipped


def main():
    passed = failed = skipped = missing = 0
    for path in sys.argv[1:]:
        try:
            some = count(path)
        except (OSError, tree.ParseError) as error:
            print(f"{path}: no report: its part did not get as far as its tests ({error})")
            missing += 1
            continue
        passed, failed, skipped = passed + some[0], failed + some[1], skipped + some[2]
    if skipped:
        print(f"{skipped} skipped")
    # A part without a report counts as one failure, so that the line can't look better than it is.
    print(f"{passed} passed, {failed + missing} failed")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
