"""Certificates for the servers of tests, made by openssl."""

import collections
import shutil
import subprocess
import tempfile
from pathlib import Path

Pair = collections.namedtuple("Pair", "certificate key")
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Authority:
    """`file` is what a client has to trust. Files go at the end of `with`."""

    def __init__(self, name="manman test authority"):
        self._folder = Path(tempfile.mkdtemp(prefix="manman-ca-"))
        self.file = self._folder / "ca.pem"
        self._key = self._folder / "ca.key"
        self._openssl("req", "-x509", "-days", "2", *_NEW_KEY, "-keyout", self._key, "-out",
                      self.file, "-subj", f"/CN={name}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self._folder, ignore_errors=True)

    def certificate(self, host):
        """A server's certificate for a host name, or for "IP:127.0.0.1"."""
        base = self._folder / host.replace(":", "-")
        pair = Pair(base.with_suffix(".pem"), base.with_suffix(".key"))
        name = host if host.startswith("IP:") else f"DNS:{host}"
        extensions = base.with_suffix(".ext")
        extensions.write_text(f"subjectAltName = {name}\n")
        request = base.with_suffix(".csr")
        self._openssl("req", *_NEW_KEY, "-keyout", pair.key, "-out", request, "-subj", "/CN=server")
        self._openssl("x509", "-req", "-days", "2", "-in", request, "-CA", self.file, "-CAkey",
                      self._key, "-CAcreateserial", "-extfile", extensions, "-out",
                      pair.certificate)
        return pair

    def _openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], cwd=self._folder, check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {words[0]}: {done.stderr}")
