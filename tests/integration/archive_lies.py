"""Archives with an index that lies, every hash in it right: one table."""

import gzip
import struct
import zlib
from dataclasses import replace

import archive_index as index
from archive_attacks import READING, UNPACKING, Attack
from archive_index import EntryRecord, FrameRecord, archive_of, block, frame_of
from archive_tools import END, base256, entry, folder, hard_link, header, pax, symlink

TIB = 1 << 40
CONTENT = b"content " * 200
STREAM = folder(b"game/") + entry(b"game/a", CONTENT) + entry(b"game/b", b"b") + symlink(b"game/l", b"a") + END
ENTRIES = [EntryRecord(b"game", index.FOLDER, mode=0o755), EntryRecord(b"game/a", size=len(CONTENT)),
           EntryRecord(b"game/b", size=1), EntryRecord(b"game/l", index.SYMLINK, mode=0o777, link=b"a")]


def right():
    return archive_of(STREAM, ENTRIES)


def with_entry(number, **changes):
    def change(archive):
        archive.entries[number] = replace(archive.entries[number], **changes)

    return change


def with_tail(**changes):
    return lambda archive: archive.tail.update(changes)


def with_frame(**changes):
    def change(archive):
        archive.frames[0] = replace(archive.frames[0], **changes)

    return change


def with_packed(packed):
    """Frame 0 has these compressed bytes, with their right hash."""
    return with_frame(packed=packed)


def with_blocks(which, *arguments, **fields):
    """The blocks of entries or frames, replaced."""
    def change(archive):
        records = [r.encode() for r in (archive.entries if which == "E" else archive.frames)]
        made = block(which.encode(), records, 0, *arguments, **fields)
        setattr(archive, "entry_blocks" if which == "E" else "frame_blocks", made)

    return change


def field(name, value):
    return lambda archive: setattr(archive, name, value(archive) if callable(value) else value)


def lie(name, change, says="index|archive|frame|stream", shows_when=READING):
    def build(outside):
        archive = right()
        change(archive)
        return archive.bytes()

    return Attack(name, build, says, shows_when)


def hostile_stream(name, stream, entries, says, shows_when=READING):
    """The index agrees with a stream that is hostile itself."""
    return Attack(name, lambda outside: archive_of(stream + END, entries).bytes(), says, shows_when)


def zeros_bomb(size, sparse, holes, stored_as_file=True):
    """An archive that unpacks to `size` zero bytes of one file."""
    def build(outside):
        head = header(b"game/bomb", size_field=base256(size, 12))
        zeros = frame_of(bytes(index.FRAME))
        whole, rest = divmod(512 + size + 1024, index.FRAME)
        last = bytes(rest)
        crc = zlib.crc32(head + bytes(index.FRAME - 512))
        frames = [frame_of(head + bytes(index.FRAME - 512))] + [zeros] * (whole - 1)
        for _ in range(whole - 1):
            crc = zlib.crc32(bytes(index.FRAME), crc)
        frames.append(frame_of(last))
        archive = index.Archive(frames, [EntryRecord(b"game/bomb", size=size, flags=int(sparse))],
                                zlib.crc32(last, crc), 512 + size + 1024)
        archive.tail = {"hole_size": holes}
        return archive.bytes()

    return build


NUMBERS = [
    *(lie(f"tail: {name} is {value}", with_tail(**{name: value}))
      for name in ("archive_size", "entries_offset", "frames_offset", "frame_count", "entry_count", "stream_size", "data_size")
      for value in (0, 3, 512, 1 << 20, TIB, 1 << 63, (1 << 64) - 1)),
    *(lie(f"tail: hole_size is {value}", with_tail(hole_size=value)) for value in (TIB, 1 << 63, (1 << 64) - 1)),
    lie("tail: other CRC than the stream", with_tail(crc=1), "CRC|crc|index|check"),
    lie("tail: other hash of the index", with_tail(index_digest=bytes(32))),
    lie("tail: version 2", field("version", 2), "version"),
    lie("tail: frames of 1 GiB", field("frame_size", 1 << 30)),
    lie("tail: frames of no size", field("frame_size", 0)),
    lie("trailer: other CRC", field("gzip_end", lambda a: b"\x03\0" + struct.pack("<II", 7, a.stream_size)), "CRC|crc|trailer|gzip"),
    lie("trailer: other size", field("gzip_end", lambda a: b"\x03\0" + struct.pack("<II", a.crc, 7)), "size|trailer|gzip"),
    lie("trailer: no final block", field("gzip_end", lambda a: b"\0\0" + struct.pack("<II", a.crc, a.stream_size)), "trailer|gzip|end"),
]

FRAMES = [
    *(lie(f"frame: packed size {size}", with_frame(packed_size=size)) for size in (0, 1, 2 << 20, TIB, (1 << 64) - 1)),
    *(lie(f"frame: raw size {size}", with_frame(raw_size=size)) for size in (0, 1, 512, index.FRAME + 1, TIB)),
    lie("frame: other CRC", with_frame(crc=5), "frame|CRC|crc"),
    lie("frame: other hash", with_frame(digest=bytes(32)), "frame|hash"),
    lie("frame: not deflate", with_packed(b"\xff" * 40), "frame|deflate|data"),
    lie("frame: holds more than said", with_packed(index.raw_deflate(STREAM + bytes(50_000_000))), "frame|size|data"),
    lie("frame: holds less than said", with_packed(index.raw_deflate(STREAM[:-512])), "frame|size|data"),
    lie("frame: ends its stream", with_packed(zlib.compress(STREAM, 6)[2:-4]), "frame|data|deflate|stream|gzip"),
    lie("frame: bytes after its end", with_packed(index.raw_deflate(STREAM) + b"\0\0\0\xff\xff" * 3 + b"\1\0\0\xff\xff"), "frame|data|deflate|stream|gzip"),
    lie("frames: one more in the list", lambda a: a.frames.append(FrameRecord(b"", 512, 0))),
    lie("frames: the list is empty", field("frame_blocks", index.member(b"Zunknown"))),
    lie("frames: twice the same block", lambda a: setattr(a, "frame_blocks", index.block_list(b"F", [f.encode() for f in a.frames]) * 2)),
    lie("frames: entries in their place", lambda a: setattr(a, "frame_blocks", index.block_list(b"E", [e.encode() for e in a.entries]))),
]

BLOCKS = [
    *(lie(f"block of {kind}: {name} is {value}", with_blocks(kind, **{name: value}))
      for kind in "EF" for name, value in (
          ("raw_size", 0), ("raw_size", 1), ("raw_size", 59_999), ("raw_size", 0xFFFFFFFF), ("records", 0), ("records", 1_000),
          ("records", 0xFFFFFFFF), ("first", 1), ("first", 1 << 63), ("encoding", 2), ("encoding", 255), ("digest", b"x" * 32))),
    lie("block: bytes that are no deflate", with_blocks("E", payload=b"\xff" * 50)),
    lie("block: inflates to 50 MB", with_blocks("E", payload=zlib.compress(bytes(50_000_000), 9)[2:-4])),
    lie("block: nothing in it", with_blocks("E", payload=b"", raw_size=0, records=0)),
    lie("block: shorter than its head", field("entry_blocks", index.member(b"E12345"))),
    lie("block: record longer than the block", field("entry_blocks", lambda a: block(b"E", [b"\xff\xff\x03" + b"x" * 60], 0))),
    lie("block: record length without end", field("entry_blocks", lambda a: block(b"E", [b"\xff" * 60], 0))),
    lie("block: records after the last", field("entry_blocks", lambda a: block(b"E", [e.encode() for e in a.entries] + [b"\0" * 40], 0, records=4))),
    lie("between members: bytes that are no member", field("between", b"garbage between the members of the index")),
    lie("between members: an ordinary gzip member", field("between", gzip.compress(b"data", mtime=0))),
]

ENTRY = [
    *(lie(f"entry: path {path[:20]!r}", with_entry(1, path=path))
      for path in (b"game/other", b"../pwned", b"/etc/pwned", b"game/../../pwned", b"", b"game/a\0b", b"game/" + b"p" * 5_000, b"game/b", b"game/a/")),
    *(lie(f"entry: kind {kind}", with_entry(1, kind=kind)) for kind in (index.FOLDER, index.SYMLINK, index.HARD_LINK, 4, 255)),
    *(lie(f"entry: size {size}", with_entry(1, size=size)) for size in (0, 1, len(CONTENT) + 1, TIB, 1 << 63, (1 << 64) - 1)),
    *(lie(f"entry: header at block {at}", with_entry(2, header_blocks=at)) for at in (0, 1, 5, 1 << 40, (1 << 64) - 1)),
    *(lie(f"entry: contents after {blocks} blocks", with_entry(2, data_blocks=blocks)) for blocks in (0, 2, 1 << 40, (1 << 64) - 1)),
    lie("entry: other link target", with_entry(3, link=b"../../outside")),
    lie("entry: other mode", with_entry(1, mode=0o4777)),
    lie("entry: mode beyond 07777", with_entry(1, mode=0o100644)),
    lie("entry: other time", with_entry(1, mtime=5)),
    lie("entry: 2,000,000,000 ns", with_entry(1, mtime_ns=2_000_000_000)),
    lie("entry: other owner", with_entry(1, uid=77)),
    lie("entry: owner beyond 32 bits", with_entry(1, uid=1 << 40)),
    lie("entries: one is missing", lambda a: a.entries.pop(2)),
    lie("entries: one too many", lambda a: a.entries.append(replace(a.entries[2], path=b"game/c", header_blocks=a.entries[3].header_blocks + 1))),
    lie("entries: two exchanged", lambda a: a.entries.insert(1, a.entries.pop(2))),
    lie("entries: none", lambda a: (a.entries.clear(), setattr(a, "entry_blocks", index.member(b"Zunknown")))),
]

STREAMS = [
    hostile_stream("stream and index: dotdot", entry(b"../pwned", b"x"), [EntryRecord(b"../pwned", size=1)], "pwned"),
    hostile_stream("stream and index: absolute", entry(b"/pwned", b"x"), [EntryRecord(b"/pwned", size=1)], "pwned"),
    hostile_stream("stream and index: through a symlink", symlink(b"link", b"../../outside") + entry(b"link/pwned", b"x"),
                   [EntryRecord(b"link", index.SYMLINK, mode=0o777, link=b"../../outside"), EntryRecord(b"link/pwned", size=1)], "link", UNPACKING),
    hostile_stream("stream and index: hard link to the outside", hard_link(b"pwned", b"../../outside/canary"),
                   [EntryRecord(b"pwned", index.HARD_LINK, link=b"../../outside/canary")], "pwned|canary"),
    hostile_stream("stream and index: device", header(b"game/special", kind=b"3"), [EntryRecord(b"game/special")], "game/special"),
    hostile_stream("stream: a pax header renames what the index lists", pax((b"path", b"../pwned")) + entry(b"game/a", b"x"),
                   [EntryRecord(b"game/a", size=1, data_blocks=3)], "pwned"),
    hostile_stream("stream: bad checksum", entry(b"game/a", b"x", checksum=b"000001\0 "), [EntryRecord(b"game/a", size=1)], "checksum"),
    hostile_stream("stream: contents after its end", entry(b"game/a", b"x") + END + entry(b"game/b", b"x"),
                   [EntryRecord(b"game/a", size=1), EntryRecord(b"game/b", size=1, data_blocks=3)], "end|index"),
]

BOMBS = [
    Attack("bomb: 10 GB of zeros", zeros_bomb(10 << 30, False, 0), "ratio|times|large|space|unpack", UNPACKING),
    Attack("bomb: 10 GB of zeros said to be holes, of a file that is not sparse", zeros_bomb(10 << 30, False, 10 << 30),
           "ratio|times|large|space|unpack|hole|index", UNPACKING),
]

ALL = {"tail": NUMBERS, "frames": FRAMES, "blocks": BLOCKS, "entry": ENTRY, "streams": STREAMS, "bombs": BOMBS}
