"""Every #include in src/ must be allowed by the layering of docs/architecture.md."""

import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths  # noqa: E402

# The table, in one place: who may include whom (and always itself). proto stands for the
# generated headers of proto/.
TABLE = {
    "base": set(),
    "domain": {"base"},
    "archive": {"base"},
    "live": {"base", "archive"},
    "examine": {"base", "archive", "live"},
    "store": {"base"},
    "db": {"base", "domain"},
    "bus": {"base"},
    "game": {"base"},
    "http": {"base"},
    "host": {"base", "domain", "archive", "live", "examine", "store", "bus", "game", "http"},
    "api": {"base", "domain", "archive", "store", "db", "bus", "http", "proto"},
    "cli": {"base", "archive", "live", "examine", "store", "proto"},
    "main.cc": {"base", "domain", "archive", "live", "examine", "store", "db", "bus", "game", "http", "host", "api", "cli"},
}
# Libraries that may be named only in some folders.
LIBRARIES = {
    "grpc": {"api", "cli"},
    "grpcpp": {"api", "cli"},
    "google/protobuf": {"api", "cli"},
    "soci": {"db"},
    "sqlite3.h": {"live", "examine"},
    "libpq-fe.h": {"db"},
    "httplib.h": {"http", "api"},
    "CLI": {"cli", "main.cc"},
    "amqp.h": {"bus"},
    "amqp_ssl_socket.h": {"bus"},
    "amqp_tcp_socket.h": {"bus"},
    "curl": {"store", "game", "api"},
    "pugixml.hpp": {"store"},
    "date": {"domain"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def _project_error(owner, name):
    folder = "proto" if re.search(r"\.pb\.h$", name) else name.split("/")[0]
    if folder != "proto" and folder not in TABLE:
        return f'"{name}" is no path from src/'
    if folder != owner and folder not in TABLE[owner]:
        return f'"{name}": {owner} may not include {folder}'
    return None


def _library_error(owner, name):
    for library, owners in LIBRARIES.items():
        if (name == library or name.startswith(library + "/")) and owner not in owners:
            return f"<{name}>: {library} belongs to {', '.join(sorted(owners))}"
    return None


def violations(src):
    """Lines "path: reason" for every include that breaks the table."""
    found = []
    for path in sorted(p for p in src.rglob("*") if p.suffix in (".cc", ".h", ".cpp", ".hpp")):
        owner = path.relative_to(src).parts[0]
        if owner not in TABLE:
            found.append(f"{path.relative_to(src)}: {owner} stands in no row of the table")
            continue
        for quote, name in INCLUDE.findall(path.read_text()):
            error = _library_error(owner, name)
            if error is None and quote == '"':
                error = _project_error(owner, name)
            if error:
                found.append(f"{path.relative_to(src)}: {error}")
    return found


class IncludeTable(unittest.TestCase):
    def test_source_tree_keeps_it(self):
        self.assertEqual(violations(paths.ROOT / "src"), [])

    def test_every_folder_has_sources_to_check(self):
        for owner in TABLE:
            place = paths.ROOT / "src" / owner
            files = [place] if place.is_file() else [*place.rglob("*.cc"), *place.rglob("*.h")]
            self.assertTrue(files, f"src/{owner} has no sources: is the table out of date?")

    def test_planted_violations_are_found(self):
        planted = {
            "base/a.h": '#include "domain/backup.h"',  # upward
            "archive/a.cc": '#include "store/store.h"',  # a sibling
            "bus/x/a.cc": '#  include "db/database.h"',
            "host/a.cc": '#include "db/database.h"',
            "host/b.cc": '#include "api/control_plane.h"',
            "api/a.cc": '#include "game/runtime/runtime.h"',
            "cli/a.cc": '#include "db/database.h"',
            "domain/a.cc": '#include "manman/v1/manman.pb.h"',
            "domain/b.cc": "#include <grpcpp/grpcpp.h>",
            "host/c.cc": "#include <soci/soci.h>",
            "live/a.cc": '#include "store/store.h"',
            "archive/b.cc": "#include <sqlite3.h>",
            "base/b.cc": '#include "error.h"',  # not from src/
            "stray/a.cc": "#include <string>",
        }
        fine = {
            "base/ok.cc": '#include "base/error.h"\n#include <string>',
            "api/ok.cc": '#include <grpcpp/grpcpp.h>\n#include "manman/v1/manman.grpc.pb.h"',
            "db/ok.cc": '#include <soci/soci.h>\n#include "domain/backup.h"',
            "main.cc": '#include "host/host_manager.h"\n#include "api/control_plane.h"',
        }
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (planted | fine).items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("// header\n" + text + "\n")
            found = violations(Path(folder))
        self.assertEqual(sorted(line.split(":")[0] for line in found), sorted(planted))


if __name__ == "__main__":
    unittest.main()
