"""The chunks of an XDF file, checked byte by byte before a reader is let at them.

pyxdf takes the sizes in a file at their word and skips what it cannot read; here a size that the
file does not bear out, or a file that is cut short, is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.signal_file import check_size

__all__ = ["StreamHead", "read_heads"]

BYTES = {"double64": 8, "float32": 4, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "string": 0}
MAX_CHANNELS = 10_000
MAX_XML_BYTES = 4 * 2**20
STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER = 2, 3, 4, 6


@dataclass
class StreamHead:
    """What a stream's header says.

    Attributes
    ----------
    number : int
    name, kind : str
        `kind` is the type of the values: one of `BYTES`.
    channels : int
    rate_hz : float or None
        The nominal one; None for an irregular stream.
    labels, units : list of str
        One for each channel, or empty.
    samples : int
        How many there are in all its chunks.
    """

    number: int
    name: str
    kind: str
    channels: int
    rate_hz: float | None
    labels: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    samples: int = 0


def read_heads(data: bytes, where: str) -> list[StreamHead]:
    """Headers of all streams, after a walk through every chunk.

    Raises
    ------
    FormatError
        No XDF file, or one that is cut short or contradicts itself, with the byte.
    """
    if data[:4] != b"XDF:":
        raise FormatError("no XDF file: it begins otherwise.", where=where)
    heads: dict[int, StreamHead] = {}
    for tag, begin, end in _chunks(data, where):
        at = f"{where}, byte {begin}"
        if tag not in (STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER):
            continue
        if end - begin < 4:
            raise FormatError("a chunk without the number of its stream.", where=at)
        number = int.from_bytes(data[begin : begin + 4], "little")
        if tag == STREAM_HEADER:
            if number in heads:
                raise FormatError(f"a second header of stream {number}.", where=at)
            heads[number] = _head(number, data[begin + 4 : end], at)
        elif number not in heads:
            raise FormatError(f"a chunk of stream {number}, which has no header.", where=at)
        elif tag == SAMPLES:
            _count_samples(memoryview(data)[begin + 4 : end], heads[number], at)
            check_size(heads[number].samples * heads[number].channels, at)
        elif tag == CLOCK_OFFSET and end - begin != 20:
            raise FormatError("a clock offset of another size than 16 bytes.", where=at)
        elif tag == STREAM_FOOTER:
            _parse_xml(data[begin + 4 : end], at)
    if not heads:
        raise FormatError("holds no stream.", where=where)
    return list(heads.values())


def _chunks(data: bytes, where: str) -> Iterator[tuple[int, int, int]]:
    """Tag, begin and end of the content of every chunk."""
    at = 4
    while at < len(data):
        length, begin = _length(data, at, where)
        end = begin + length
        if length < 2 or end > len(data):
            raise FormatError(
                "the file is cut short or damaged in this chunk.", where=f"{where}, byte {at}"
            )
        yield int.from_bytes(data[begin : begin + 2], "little"), begin + 2, end
        at = end


def _length(data: bytes | memoryview, at: int, where: str) -> tuple[int, int]:
    """A number of varying width, and what follows it."""
    width = data[at] if at < len(data) else 0
    if width not in (1, 4, 8) or at + 1 + width > len(data):
        raise FormatError(
            "the file is cut short or damaged: no length here.", where=f"{where}, byte {at}"
        )
    return int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width


def _parse_xml(text: bytes, where: str) -> ElementTree.Element:
    # Entities are what makes a short text expand to a large one; XDF has no use for them.
    if len(text) > MAX_XML_BYTES or b"<!" in text:
        raise FormatError("the description of the stream is no plain XML.", where=where)
    try:
        return ElementTree.fromstring(text.decode("utf-8", "replace"))
    except (ElementTree.ParseError, ValueError) as error:
        raise FormatError(f"the description is no XML: {error}.", where=where) from error


def _head(number: int, text: bytes, where: str) -> StreamHead:
    root = _parse_xml(text, where)

    def told(key: str) -> str:
        return (root.findtext(key) or "").strip()

    kind = told("channel_format")
    if kind not in BYTES:
        raise FormatError(f"values of the type {kind!r} are not known.", where=where)
    try:
        channels, rate = int(told("channel_count")), float(told("nominal_srate") or 0)
    except ValueError as error:
        raise FormatError(f"the stream's description: {error}.", where=where) from error
    if not 1 <= channels <= MAX_CHANNELS or not 0 <= rate < 1e9:
        raise FormatError(f"{channels} channels at {rate:g} Hz are impossible.", where=where)
    described = root.findall("desc/channels/channel")
    labels = [(c.findtext("label") or "").strip() for c in described]
    units = [(c.findtext("unit") or "").strip() for c in described]
    whole = len(described) == channels
    named = whole and all(labels) and len(set(labels)) == channels
    return StreamHead(
        number,
        told("name") or str(number),
        kind,
        channels,
        rate or None,
        labels if named else [],
        units if whole else [],
    )


def _count_samples(content: memoryview, head: StreamHead, where: str) -> None:
    count, at = _length(content, 0, where)
    size = BYTES[head.kind] * head.channels
    least = count * (1 + (size or head.channels))
    rest = len(content) - at
    if least > rest:
        raise FormatError(
            f"declares {count} samples of at least {1 + (size or head.channels)} bytes and holds "
            f"{rest} bytes.",
            where=where,
        )
    head.samples += count
    if size and _is_even(content[at:], count, size):
        return
    for _ in range(count):
        if at >= len(content):
            break
        at += 9 if content[at] else 1
        if size:
            at += size
            continue
        for _ in range(head.channels):
            length, begin = _length(content, at, where)
            at = begin + length
    if at != len(content):
        raise FormatError("the samples have another size than the chunk.", where=where)


def _is_even(body: memoryview, count: int, size: int) -> bool:
    """Whether all samples have a time of their own, or none: what most chunks are like."""
    for stamped, step in ((True, 9 + size), (False, 1 + size)):
        if len(body) == count * step:
            flags = np.frombuffer(body, np.uint8)[::step]
            return bool((flags != 0).all()) if stamped else not flags.any()
    return False
