"""Changes to a PNG that its checksums do not give away."""

import struct
import zlib

import atheris

_START = b"\x89PNG\r\n\x1a\n"


def with_right_checksums(data: bytes, max_size: int, seed: int) -> bytes:
    """Return a changed copy; if it is a PNG, every chunk has its checksum."""
    del seed
    changed = atheris.Mutate(data, max_size)
    if not changed.startswith(_START):
        return changed
    parts, place = [_START], len(_START)
    while place + 8 <= len(changed):
        (length,) = struct.unpack_from(">L", changed, place)
        end = place + 8 + length
        if end + 4 > len(changed):
            break
        body = changed[place + 4 : end]
        parts += [changed[place : place + 4], body]
        parts.append(struct.pack(">L", zlib.crc32(body)))
        place = end + 4
    return b"".join([*parts, changed[place:]])[:max_size]
