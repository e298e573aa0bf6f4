"""A writer of manman's archive format (docs/formats/archive.md) that shares no code with the
product, and that writes lies when told to: with right hashes over wrong numbers."""

import hashlib
import struct
import zlib
from dataclasses import dataclass, field, replace

FRAME = 1 << 20
FILE, FOLDER, SYMLINK, HARD_LINK = range(4)
TAIL_SIZE = 178
NOTHING = b"\x03\0" + bytes(8)  # deflate of nothing, its CRC and size


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def zigzag(value):
    return value * 2 if value >= 0 else -value * 2 - 1


def member(data):
    """An empty gzip member that carries data."""
    return (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", len(data) + 4) + b"mm"
            + struct.pack("<H", len(data)) + data + NOTHING)


def raw_deflate(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


def block(kind, items, start, payload=None, deflated=True, **lies):
    """A member that holds records of one kind, the first of which has the number `start`."""
    raw = b"".join(items)
    if payload is None:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        payload = packer.compress(raw) + packer.flush() if deflated else raw
    head = kind + struct.pack("<BIIQ", lies.get("encoding", int(deflated)), lies.get("raw_size", len(raw)),
                              lies.get("records", len(items)), lies.get("first", start))
    digest = lies.get("digest") or hashlib.sha256(head + payload).digest()
    return member(head + digest + payload)


@dataclass
class EntryRecord:
    path: bytes
    kind: int = FILE
    size: int = 0
    mode: int = 0o644
    link: bytes = b""
    mtime: int = 1_700_000_000
    mtime_ns: int = 0
    uid: int = 0
    gid: int = 0
    header_blocks: int = 0  # where its header stands in the tar stream, in blocks of 512 bytes
    data_blocks: int = 1  # from there to its contents
    flags: int = 0  # 1: sparse
    more: bytes = b""  # fields of a later version

    def encode(self):
        fields = bytes([self.kind]) + b"".join(map(varint, (
            self.flags, self.header_blocks, self.data_blocks, self.size, self.mode, self.uid, self.gid,
            zigzag(self.mtime), self.mtime_ns)))
        fields += varint(len(self.path)) + self.path + varint(len(self.link)) + self.link + self.more
        return varint(len(fields)) + fields


@dataclass
class FrameRecord:
    packed: bytes
    raw_size: int
    crc: int
    packed_size: int = -1
    digest: bytes = b""
    more: bytes = b""

    def encode(self):
        size = len(self.packed) if self.packed_size < 0 else self.packed_size
        fields = (varint(size) + varint(self.raw_size) + struct.pack("<I", self.crc)
                  + (self.digest or hashlib.sha256(self.packed).digest()) + self.more)
        return varint(len(fields)) + fields


@dataclass
class Archive:
    """What goes into the file; change what shall be a lie before bytes()."""

    frames: list
    entries: list
    crc: int
    stream_size: int
    tail: dict = field(default_factory=dict)
    gzip_end: bytes = b""
    entry_blocks: bytes = b""  # in place of those made of `entries`
    frame_blocks: bytes = b""
    between: bytes = b""  # between the two
    version: int = 1
    frame_size: int = FRAME

    def bytes(self):
        data = (b"\x1f\x8b\x08\0\0\0\0\0\x6d\xff" + b"".join(f.packed for f in self.frames)
                + (self.gzip_end or b"\x03\0" + struct.pack("<II", self.crc, self.stream_size & 0xFFFFFFFF)))
        entries = self.entry_blocks or block_list(b"E", [e.encode() for e in self.entries])
        frames = self.frame_blocks or block_list(b"F", [f.encode() for f in self.frames])
        index = entries + self.between + frames
        numbers = {
            "archive_size": len(data) + len(index) + TAIL_SIZE, "entries_offset": len(data),
            "frames_offset": len(data) + len(entries) + len(self.between), "frame_count": len(self.frames),
            "entry_count": len(self.entries), "stream_size": self.stream_size,
            "data_size": sum(e.size for e in self.entries) % 2**64, "hole_size": 0, "crc": self.crc,
            "index_digest": hashlib.sha256(index).digest(), **self.tail,
        }
        return data + index + self.encode_tail(numbers)

    def encode_tail(self, n):
        content = b"Tmanman\x1a" + struct.pack(
            "<HHI8QII", self.version, 0, self.frame_size, n["archive_size"], n["entries_offset"],
            n["frames_offset"], n["frame_count"], n["entry_count"], n["stream_size"], n["data_size"],
            n["hole_size"], n["crc"], 0) + n["index_digest"]
        head = member(content + bytes(32))[:16 + len(content)]
        return head + hashlib.sha256(head).digest() + NOTHING


def block_list(kind, records):
    """Blocks of at most 60,000 bytes of records."""
    out, part, first = [], [], 0
    for number, record in enumerate(records):
        if part and sum(map(len, part)) + len(record) > 60_000:
            out.append(block(kind, part, first))
            part, first = [], number
        part.append(record)
    if part:
        out.append(block(kind, part, first))
    return b"".join(out)


def frame_of(raw):
    return FrameRecord(raw_deflate(raw), len(raw), zlib.crc32(raw))


def archive_of(stream, entries):
    """A right archive of this tar stream; header_blocks are filled in for the entries."""
    placed, at = [], 0
    for one in entries:
        placed.append(replace(one, header_blocks=at))
        at += one.data_blocks + (one.size + 511) // 512
    frames = [frame_of(stream[n:n + FRAME]) for n in range(0, len(stream), FRAME)]
    return Archive(frames, placed, zlib.crc32(stream), len(stream))
