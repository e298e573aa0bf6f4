"""A game that is spoken to by Source RCON alone: rcon_game.py PORT PASSWORD. Writes each command that it took to ../console."""

import socketserver
import struct
import sys

ANSWERS = {"save-off": "Automatic saving is now disabled", "save-all flush": "Saved the game",
           "save-on": "Automatic saving is now enabled"}
AUTH, COMMAND, AUTH_RESPONSE, RESPONSE = 3, 2, 2, 0


class Client(socketserver.StreamRequestHandler):
    def packet(self, id_, kind, text):
        body = struct.pack("<ii", id_, kind) + text.encode() + b"\0\0"
        self.wfile.write(struct.pack("<i", len(body)) + body)

    def handle(self):
        known = False
        while size := self.rfile.read(4):
            body = self.rfile.read(struct.unpack("<i", size)[0])
            id_, kind = struct.unpack("<ii", body[:8])
            text = body[8:-2].decode()
            if kind == AUTH:
                known = text == sys.argv[2]
                self.packet(id_ if known else -1, AUTH_RESPONSE, "")
            elif kind == COMMAND and known:
                with open("../console", "a") as file:
                    file.write(text + "\n")
                self.packet(id_, RESPONSE, ANSWERS.get(text, "Unknown command"))
            elif known:
                self.packet(id_, RESPONSE, f"Unknown request {kind:x}")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with open("level.dat", "w") as level:
    level.write("a world\n")
with Server(("127.0.0.1", int(sys.argv[1])), Client) as server:
    print("RCON running", flush=True)
    server.serve_forever()
