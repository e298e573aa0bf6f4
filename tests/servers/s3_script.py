"""An S3 server in this process that checks every signature and fails as it is told.

    with ScriptedS3([Fault("part", "slow_down", times=3)]) as s3:
        s3.settings()  # S3_ENDPOINT, S3_ACCESS_KEY, …
        s3.objects     # what is stored: {key: Stored}
        s3.unused()    # faults that were not met

What a fault does is the method of Handler of the same name.
"""

import hashlib
import random
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from servers.s3_signature import Refused, check


@dataclass
class Fault:
    op: str  # see _operation()
    action: str
    times: int = 1
    after: int = 0  # requests of this op that pass before


@dataclass
class Stored:
    body: bytes
    etag: str
    headers: dict
    modified: float = field(default_factory=time.time)


@dataclass
class Upload:
    key: str
    headers: dict
    parts: dict = field(default_factory=dict)  # number: (etag, body)
    begun: float = field(default_factory=time.time)


class ScriptedS3:
    """Thread-safe where a test looks on while requests come."""

    access_key = "script-access"
    secret_key = "script/secret+key"
    region = "eu-test-1"
    bucket = "manman-test"

    def __init__(self, faults=(), clock_ahead=0, page=1000, chaos=None, certificate=None, virtual_host=False):
        """certificate: (file, key file) for https. virtual_host: the bucket comes in the header Host."""
        self.faults = list(faults)
        self.clock_ahead = clock_ahead
        self.page = page
        self._chaos = chaos and (random.Random(chaos[0]), chaos[1], chaos[2])  # seed, how often, actions
        self.objects, self.uploads, self.log = {}, {}, []
        self.lock = threading.RLock()
        self._next_upload = 0
        self.virtual_host, self.connections = virtual_host, 0
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.s3 = self
        self.endpoint = f"http{'s' if certificate else ''}://localhost:{self._http.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True,
                                                    do_handshake_on_connect=False)
        self.stopping = threading.Event()
        self.released = threading.Event()  # what `held` waits for

    def __enter__(self):
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def settings(self):
        return {"S3_ENDPOINT": self.endpoint, "S3_ACCESS_KEY": self.access_key,
                "S3_SECRET_KEY": self.secret_key, "S3_REGION": self.region, "S3_BUCKET": self.bucket}

    def unused(self):
        return [fault for fault in self.faults if fault.times > 0]

    def count(self, op):
        with self.lock:
            return self.log.count(op)

    def now(self):
        return time.time() + self.clock_ahead

    def fault_for(self, op):
        with self.lock:
            self.log.append(op)
            for fault in self.faults:
                if fault.op != op or fault.times <= 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault.action
            if self._chaos and self._chaos[0].random() < self._chaos[1]:
                return self._chaos[0].choice(self._chaos[2])
        return None

    def begin(self, key, headers):
        with self.lock:
            self._next_upload += 1
            upload_id = f"upload-{self._next_upload}/+="
            self.uploads[upload_id] = Upload(key, headers)
            return upload_id


def _operation(method, key, query):
    if not key:
        return "list_uploads" if "uploads" in query else "list"
    if "uploadId" in query:
        return {"PUT": "part", "POST": "complete", "DELETE": "abort"}[method]
    if method == "POST":
        return "create"
    return method.lower()


def _xml(name, inner):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}>{inner}</{name}>'.encode()


def _etag(body):
    return hashlib.md5(body).hexdigest()


def _time(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


class _Http(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def version_string(self):
        return "ScriptedS3"

    def do_GET(self):
        s3 = self.server.s3
        path, _, query = self.path.partition("?")
        self.query = {name: values[0] for name, values in
                      urllib.parse.parse_qs(query, keep_blank_values=True).items()}
        bucket, self.key = self._place(urllib.parse.unquote(path))
        self.op = _operation(self.command, self.key, self.query)
        fault = s3.fault_for(self.op)
        if fault in ("cut_request", "hang"):
            return getattr(self, fault)()
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            check(self.command, self.path, headers, self.body, s3, s3.now())
            if bucket != s3.bucket:
                raise Refused(404, "NoSuchBucket")
            if fault:
                return getattr(self, fault)()
            self.answer(*self.perform())
        except Refused as refused:
            self.refuse(refused)
        return None

    def setup(self):
        super().setup()
        self.server.s3.connections += 1

    def _place(self, path):
        if self.server.s3.virtual_host:
            return self.headers["host"].partition(".")[0], path[1:]
        _, bucket, *rest = path.split("/", 2)
        return bucket, rest[0] if rest else ""

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    # -- answers ---------------------------------------------------------------------------------

    def answer(self, status, headers, body=b"", length=None):
        self.head(status, headers, len(body) if length is None else length)
        if self.command != "HEAD":
            self.wfile.write(body)

    def head(self, status, headers, length):
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.server.s3.now(), usegmt=True))
        headers = {"Content-Length": length} | headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def refuse(self, refused):
        inner = f"<Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
        inner += "".join(f"<{name}>{value}</{name}>" for name, value in refused.more.items())
        self.answer(refused.status, {"Content-Type": "application/xml"}, _xml("Error", inner))

    # -- faults ----------------------------------------------------------------------------------

    def slow_down(self):
        self.refuse(Refused(503, "SlowDown", "Please reduce your request rate."))

    def internal(self):
        self.refuse(Refused(500, "InternalError", "We encountered an internal error."))

    def bad_gateway(self):
        self.answer(502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>")

    def denied(self):
        self.refuse(Refused(403, "AccessDenied", f"not with {self.server.s3.secret_key}"))

    def cut_request(self):
        self.rfile.read(int(self.headers.get("content-length", 0)) // 2)
        self.close_connection = True  # by a reset
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def cut_answer(self):
        status, headers, body = self.perform()
        self.answer(status, headers, body[:len(body) // 2], len(body) or 10)
        self.close_connection = True

    def lost_answer(self):
        self.perform()
        self.close_connection = True

    def hang(self):
        self.server.s3.stopping.wait(60)
        self.close_connection = True

    def held(self):
        """Does as it is asked once the test says so, whether or not anyone still waits for the answer."""
        self.server.s3.released.wait(60)
        self.answer(*self.perform())

    def drip(self):
        status, headers, body = self.perform()
        self.head(status, headers, len(body))
        try:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.server.s3.stopping.wait(0.1):
                    break
        except OSError:
            pass
        self.close_connection = True

    def no_etag(self):
        status, headers, body = self.perform()
        headers.pop("ETag", None)
        self.answer(status, headers, body.replace(b"ETag", b"Etag"))

    def garbage(self):
        self.answer(200, {}, b"Please log in to the hotel's network.")

    def wrong_length(self):
        """Says less than it sends."""
        status, headers, body = self.perform()
        headers.pop("Content-Range", None)
        self.answer(status, headers, body, max(len(body) - 7, 0))
        self.close_connection = True

    def short_range(self):
        """Whole by its own count, but not what was asked for."""
        status, headers, body = self.perform()
        self.answer(status, headers, body[:len(body) // 2])

    def other_range(self):
        status, headers, body = self.perform()
        first = int(headers["Content-Range"].split()[1].partition("-")[0])
        total = headers["Content-Range"].partition("/")[2]
        headers["Content-Range"] = f"bytes {first + 1}-{first + len(body)}/{total}"
        self.answer(status, headers, body)

    def whole_object(self):
        self.answer(200, {}, self.server.s3.objects[self.key].body)

    def replaced(self):
        """Cut in the middle, and the object is another one afterwards."""
        status, headers, body = self.perform()
        with self.server.s3.lock:
            other = bytes(len(self.server.s3.objects[self.key].body))
            self.server.s3.objects[self.key] = Stored(other, _etag(other), {})
        self.answer(status, headers, body[:len(body) // 2], len(body))
        self.close_connection = True

    def error_in_200(self):
        self.answer(200, {}, b"\n \n" + _xml("Error", "<Code>InternalError</Code><Message>later</Message>"))

    def denied_in_200(self):
        self.answer(200, {}, _xml("Error", "<Code>AccessDenied</Code><Message>no</Message>"))

    def empty_200(self):
        self.answer(200, {})

    def half_stored(self):
        status, headers, body = self.perform()
        with self.server.s3.lock:
            stored = self.server.s3.objects[self.key]
            stored.body = stored.body[:len(stored.body) // 2]
        self.answer(status, headers, body)

    def forgotten(self):
        """The upload is gone, as after its abort by someone else."""
        self.server.s3.uploads.clear()
        self.answer(*self.perform())

    # -- what a server does ----------------------------------------------------------------------

    def perform(self):
        with self.server.s3.lock:
            return getattr(self, "_" + self.op)(self.server.s3)

    def _page(self, items):
        """Those after the marker; whether there are more."""
        marker = self.query.get("continuation-token") or self.query.get("key-marker") or ""
        left = [item for item in sorted(items) if item[0] > marker]
        return left[:self.server.s3.page], len(left) > self.server.s3.page

    def _list(self, s3):
        found, more = self._page((key,) for key in s3.objects if key.startswith(self.query.get("prefix", "")))
        inner = "<EncodingType>url</EncodingType>" + f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            inner += f"<NextContinuationToken>{escape(found[-1][0])}</NextContinuationToken>"
        for (key,) in found:
            stored = s3.objects[key]
            inner += (f"<Contents><Key>{urllib.parse.quote_plus(key)}</Key><Size>{len(stored.body)}</Size>"
                      f"<ETag>&quot;{stored.etag}&quot;</ETag>"
                      f"<LastModified>{_time(stored.modified)}</LastModified></Contents>")
        return 200, {}, _xml("ListBucketResult", inner)

    def _list_uploads(self, s3):
        matching = ((upload.key, upload_id) for upload_id, upload in s3.uploads.items()
                    if upload.key.startswith(self.query.get("prefix", "")))
        found, more = self._page(matching)
        inner = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            inner += f"<NextKeyMarker>{escape(found[-1][0])}</NextKeyMarker>"
        for key, upload_id in found:
            inner += (f"<Upload><Key>{escape(key)}</Key><UploadId>{upload_id}</UploadId>"
                      f"<Initiated>{_time(s3.uploads[upload_id].begun)}</Initiated></Upload>")
        return 200, {}, _xml("ListMultipartUploadsResult", inner)

    def _object(self, s3):
        stored = s3.objects.get(self.key)
        if stored is None:
            raise Refused(404, "NoSuchKey")
        if self.headers.get("if-match", f'"{stored.etag}"') != f'"{stored.etag}"':
            raise Refused(412, "PreconditionFailed")
        return stored, {"ETag": f'"{stored.etag}"', "Last-Modified": formatdate(stored.modified, usegmt=True),
                        **stored.headers}

    def _head(self, s3):
        stored, headers = self._object(s3)
        return 200, {"Content-Length": len(stored.body)} | headers, b""

    def _get(self, s3):
        stored, headers = self._object(s3)
        first, _, last = self.headers["range"].removeprefix("bytes=").partition("-")
        if int(first) >= len(stored.body):
            raise Refused(416, "InvalidRange")
        body = stored.body[int(first):int(last) + 1]
        headers["Content-Range"] = f"bytes {first}-{int(first) + len(body) - 1}/{len(stored.body)}"
        return 206, headers, body

    def _meta(self):
        return {name: value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")}

    def _put(self, s3):
        s3.objects[self.key] = Stored(self.body, _etag(self.body), self._meta())
        return 200, {"ETag": f'"{_etag(self.body)}"'}, b""

    def _delete(self, s3):
        s3.objects.pop(self.key, None)
        return 204, {}, b""

    def _create(self, s3):
        upload_id = s3.begin(self.key, self._meta())
        return 200, {}, _xml("InitiateMultipartUploadResult", f"<UploadId>{upload_id}</UploadId>")

    def _upload(self, s3):
        upload = s3.uploads.get(self.query["uploadId"])
        if upload is None or upload.key != self.key:
            raise Refused(404, "NoSuchUpload")
        return upload

    def _part(self, s3):
        self._upload(s3).parts[int(self.query["partNumber"])] = (_etag(self.body), self.body)
        return 200, {"ETag": f'"{_etag(self.body)}"'}, b""

    def _complete(self, s3):
        upload = self._upload(s3)
        root = ElementTree.fromstring(self.body)
        space = root.tag.partition("}")[0] + "}" if "}" in root.tag else ""
        asked = [(int(part.findtext(space + "PartNumber")), part.findtext(space + "ETag").strip('"'))
                 for part in root]
        if [number for number, _ in asked] != list(range(1, len(asked) + 1)):
            raise Refused(400, "InvalidPartOrder")
        for number, etag in asked:
            if upload.parts.get(number, ("",))[0] != etag:
                raise Refused(400, "InvalidPart", f"part {number}")
        bodies = [upload.parts[number][1] for number, _ in asked]
        if any(len(body) != len(bodies[0]) for body in bodies[:-1]) or len(bodies[0]) < 5 << 20:
            raise Refused(400, "EntityTooSmall")
        etag = _etag(b"".join(bytes.fromhex(etag) for _, etag in asked)) + f"-{len(asked)}"
        s3.objects[self.key] = Stored(b"".join(bodies), etag, upload.headers)
        del s3.uploads[self.query["uploadId"]]
        return 200, {}, _xml("CompleteMultipartUploadResult", f"<ETag>&quot;{etag}&quot;</ETag>")

    def _abort(self, s3):
        self._upload(s3)
        del s3.uploads[self.query["uploadId"]]
        return 204, {}, b""
