"""Damages valid files at random, also inside of their containers, so that more of a reader runs."""

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence

# Numbers at which readers go wrong: around zero, around powers of two, and large
_NUMBERS = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_LARGE = (*_NUMBERS, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
_VALUES = (
    None,
    True,
    "",
    "../../x",
    "x" * 70000,
    0,
    -1,
    2**63,
    10**400,
    1.5,
    [],
    {},
    [[]],
    {"": 0},
)
_LITERALS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e-999",
    "9" * 5000,
    "[" * 99999,
    '"\\ud800"',
)


def mutated(contents: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """``contents`` after one to six changes, some of which come from ``others``."""
    result = bytearray(contents)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        rng.choice(_CHANGES)(result, others, rng)
    return bytes(result)


def _place(data: bytearray, rng: random.Random) -> int:
    """A position, more often among the first bytes, where headers are."""
    if not data:
        return 0
    return rng.randrange(min(len(data), rng.choice((16, 64, 256, 4096, len(data)))))


def _flip(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    if data:
        data[_place(data, rng)] = rng.choice((0, 1, 127, 128, 254, 255, rng.randrange(256)))


def _number(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    size, order = rng.choice((2, 4, 8)), rng.choice(("little", "big"))
    at, value = _place(data, rng), rng.choice(_LARGE) % 256**size
    data[at : at + size] = value.to_bytes(size, order)[: max(0, len(data) - at)]


def _cut(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    del data[_place(data, rng) if rng.random() < 0.5 else rng.randrange(len(data) + 1) :]


def _remove(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    at = _place(data, rng)
    del data[at : at + rng.choice((1, 2, 4, 16, 256))]


def _insert(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    at = _place(data, rng)
    data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 16, 256)))


def _repeat(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    at, to = _place(data, rng), _place(data, rng)
    data[to:to] = data[at : at + rng.choice((4, 16, 256, 4096))]


def _splice(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    other = rng.choice(others) if others else bytes(data)
    at, size = rng.randrange(len(other) + 1), rng.choice((4, 64, 1024))
    to = _place(data, rng)
    data[to : to + size] = other[at : at + size]


_CHANGES: tuple[Callable, ...] = (
    *(_flip, _flip, _byte, _byte, _number, _number, _number),
    *(_cut, _remove, _insert, _repeat, _splice),
)


def in_zip(contents: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Change a member of a zip file, whose checksums are right again afterwards."""
    if rng.random() < 0.2:
        return mutated(contents, others, rng)
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name, changed = rng.choice(list(members)), io.BytesIO()
    change = in_json if name.endswith(".json") else mutated
    members[name] = change(members[name], [], rng)
    if rng.random() < 0.1:
        members[rng.choice(("../x", "/x", "a/../../x", "C:\\x", name * 50))] = members.pop(name)
    kind = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(changed, "w", kind) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return changed.getvalue()


def in_png(contents: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Change what is in a chunk of a PNG file, whose checksums are right again afterwards."""
    if contents[:4] != b"\x89PNG" or rng.random() < 0.3:
        return mutated(contents, others, rng)
    parts, start = [], 8
    while start + 12 <= len(contents):
        size = int.from_bytes(contents[start : start + 4], "big")
        parts.append((contents[start + 4 : start + 8], contents[start + 8 : start + 8 + size]))
        start += 12 + size
    at = rng.randrange(len(parts))
    kind, inner = parts[at]
    compressed = {b"IDAT": 0, b"iCCP": inner.find(b"\0") + 2, b"zTXt": inner.find(b"\0") + 2}
    if kind in compressed and rng.random() < 0.5:
        head = compressed[kind]
        inner = inner[:head] + zlib.compress(mutated(zlib.decompress(inner[head:]), [], rng))
    else:
        inner = mutated(inner, [], rng)
    parts[at] = kind, inner
    if rng.random() < 0.2:
        parts.insert(rng.randrange(len(parts)), parts[at])
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return contents[:8] + b"".join(chunks)


def in_json(contents: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Put other values, and literals that Python reads, into a JSON file."""
    if rng.random() < 0.3:
        return mutated(contents, others, rng)
    tree = {"": json.loads(contents)}
    spots = list(_spots(tree))
    for _ in range(rng.choice((1, 1, 2, 4))):
        holder, key = rng.choice(spots)
        if rng.random() < 0.2 and isinstance(holder, dict) and holder is not tree:
            holder.pop(key, None)
        elif key in holder if isinstance(holder, dict) else key < len(holder):
            other = rng.choice(spots)
            mine = rng.choice((*_VALUES, _at(*other)))
            holder[key] = json.loads(json.dumps(mine)) if rng.random() < 0.7 else "@literal@"
    text = json.dumps(tree[""])
    return text.replace('"@literal@"', rng.choice(_LITERALS)).encode()


def _at(holder: dict | list, key: object) -> object:
    try:
        return holder[key]
    except (KeyError, IndexError):
        return None


def _spots(tree: dict | list):
    """Every place of a value: what holds it, and its key."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(pairs):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _spots(value)
