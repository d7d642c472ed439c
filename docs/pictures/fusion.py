"""How a window with an absent sensor passes the network; token counts are the symbolizer's own."""

from __future__ import annotations

import numpy as np
from svg import box, line, path, picture, text

from maestro_ts import Modality, Windows
from maestro_ts.recipe import load_recipe
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["draw"]

SENSORS = (
    Modality("acc", channels=3, rate_hz=50.0, device="wrist"),
    Modality("ecg", rate_hz=250.0, device="chest"),
    Modality("eda", rate_hz=4.0, device="wrist"),
)
ABSENT, DURATION_S = "ecg", 10.0
WIDTH, TOP, LANE, GAP = 720, 40, 54, 22
ENCODER, FUSION, HEAD = (140, 126), (470, 84), (606, 92)  # left side and width


def token_counts() -> dict[str, int]:
    """Tokens of each sensor, its summary among them."""
    present = {
        m.name: np.zeros((2, int((m.rate_hz or 0) * DURATION_S), m.channels))
        for m in SENSORS
        if m.name != ABSENT
    }
    windows = Windows.from_arrays(present, SENSORS, duration_s=DURATION_S)
    symbolizer = Symbolizer(load_recipe("default").symbols).fit(windows)
    return {m.name: symbolizer.lengths_[m.name] + symbolizer.has_summary(m) for m in SENSORS}


def draw() -> str:
    """The picture."""
    counts, parts = token_counts(), []
    bottom = TOP + len(SENSORS) * (LANE + GAP) - GAP
    for row, sensor in enumerate(SENSORS):
        y = TOP + row * (LANE + GAP)
        middle = y + LANE / 2
        gone = sensor.name == ABSENT
        parts.append(text(8, middle - 2, sensor.name, "strong"))
        told = "not worn" if gone else f"{sensor.channels} × {sensor.rate_hz:g} Hz"
        parts.append(text(8, middle + 15, told, "small muted"))
        x, width = ENCODER
        parts.append(box(x, y, width, LANE, "gone-frame" if gone else "frame"))
        words = ("no encoder", "runs") if gone else ("symbols,", "own encoder")
        for i, word in enumerate(words):
            look = "middle muted" if gone else "middle"
            parts.append(text(x + width / 2, middle - 3 + 18 * i, word, look))
        if not gone:
            parts.append(line(92, middle, x, middle, "flow"))
            parts.append(line(x + width, middle, x + width + 20, middle, "flow"))
        parts += tokens(x + width + 20, middle, counts[sensor.name], gone=gone)
        parts.append(line(FUSION[0] - 18, middle, FUSION[0], middle, "flow"))
    for (x, width), words in ((FUSION, ("sparse", "fusion")), (HEAD, ("mean,", "head"))):
        parts.append(box(x, TOP, width, bottom - TOP, "frame"))
        for i, word in enumerate(words):
            parts.append(text(x + width / 2, (TOP + bottom) / 2 - 3 + 18 * i, word, "middle"))
    middle = (TOP + bottom) / 2
    parts.append(line(FUSION[0] + FUSION[1], middle, HEAD[0], middle, "flow"))
    parts.append(text(8, 20, "one window, one sensor absent: nothing is filled in for it", "muted"))
    title = "Present sensors bring their tokens to the fusion, an absent one a single learned token"
    return picture(WIDTH, bottom + 16, title, parts)


def tokens(x: float, middle: float, count: int, *, gone: bool) -> list[str]:
    """Tokens as a row of small boxes, and how many there are."""
    room = FUSION[0] - 18 - x
    if gone:
        rest = path([(x + 10, middle), (x + room, middle)], "flow")
        return [
            rest,
            box(x, middle - 9, 10, 18, "orange"),
            text(x, middle - 15, "1 learned “missing”", "small orange"),
        ]
    pitch = min(room / count, 6.0)
    row = [box(x + i * pitch, middle - 9, pitch - 1.5, 18, "blue") for i in range(count)]
    end = x + count * pitch
    if end < x + room:
        row.append(line(end, middle, x + room, middle, "flow"))
    return [*row, text(x, middle - 15, f"{count} tokens", "small blue")]
