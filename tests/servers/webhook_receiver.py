"""An HTTP server that takes webhooks, and checks their signatures by its own means (Standard Webhooks 1.0)."""

import base64
import hashlib
import hmac
import http.server
import json
import threading


class Receiver:
    """`behave` says what it does with each request: a status, "hang" (no answer until closed), "cut" (the connection is
    closed without an answer), or ("redirect", URL)."""

    def __init__(self, behave=200):
        self.behave = behave
        self.requests = []  # (path, headers, body as parsed)
        self.closed = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.requests.append((self.path, dict(self.headers.items()), body))
                behave = owner.behave
                if behave == "hang":
                    owner.closed.wait(60)
                    return
                if behave == "cut":
                    self.connection.close()
                    return
                status = behave if isinstance(behave, int) else 302
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", behave[1])
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"ok\n")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self):
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def events(self):
        """The events that it was told of, in the order of the requests."""
        return [json.loads(body)["data"]["event_id"] for _, _, body in list(self.requests)]

    def bodies(self):
        return [json.loads(body) for _, _, body in list(self.requests)]


def signed(headers, body, secret):
    """Whether a request bears the signature that this secret makes."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == "v1," + made
