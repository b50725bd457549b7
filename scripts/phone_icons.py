"""Draw the icons of the app: two waves that ebb, as SVG and PNG.

    uv run python scripts/phone_icons.py

Writes phone/static/icons/. The PNGs are of the same curves, drawn four times larger and averaged.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "phone" / "static" / "icons"
GROUND, WAVE = (0x2F, 0x6B, 0x72), (0xFD, 0xFC, 0xF9)
# Of each wave: the height of its middle, its amplitude and its width, in parts of the icon.
WAVES = ((0.44, 0.095, 0.075), (0.62, 0.055, 0.055))
CORNER = 0.22
_OVERSAMPLING = 4
_POINTS = 49


def main() -> None:
    """Write every icon."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "icon.svg").write_text(icon_svg(), encoding="ascii")
    for name, size, is_round in (
        ("icon-180.png", 180, False),  # iOS rounds the corners itself
        ("icon-192.png", 192, True),
        ("icon-512.png", 512, True),
        ("icon-maskable-512.png", 512, False),  # Android cuts it to its own shape
    ):
        (FOLDER / name).write_bytes(encode_png(draw_icon(size, is_round=is_round)))


def wave_height(x: np.ndarray, middle: float, amplitude: float) -> np.ndarray:
    """Height of a wave at ``x``: it ebbs from left to right."""
    return middle - amplitude * np.sin(3 * np.pi * (x - 0.2) / 0.6) * (1.25 - x)


def icon_svg() -> str:
    """The icon as SVG, 512 units wide."""
    x = np.linspace(0.2, 0.8, _POINTS)
    paths = []
    for middle, amplitude, width in WAVES:
        y = wave_height(x, middle, amplitude)
        points = " ".join(f"{512 * a:.0f},{512 * b:.0f}" for a, b in zip(x, y, strict=True))
        paths.append(f'<polyline points="{points}" stroke-width="{512 * width:.0f}"/>')
    ground, wave = ("#{:02x}{:02x}{:02x}".format(*colour) for colour in (GROUND, WAVE))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">'
        f'<rect width="512" height="512" rx="{512 * CORNER:.0f}" fill="{ground}"/>'
        f'<g fill="none" stroke="{wave}" stroke-linecap="round" stroke-linejoin="round">'
        f"{''.join(paths)}</g></svg>\n"
    )


def draw_icon(size: int, *, is_round: bool) -> np.ndarray:
    """Draw the icon as RGBA, shape (size, size, 4)."""
    fine = size * _OVERSAMPLING
    at = (np.arange(fine) + 0.5) / fine
    x, y = np.meshgrid(at, at)
    on_wave = np.zeros((fine, fine), dtype=bool)
    for middle, amplitude, width in WAVES:
        for place in np.linspace(0.2, 0.8, 8 * _POINTS):
            height = float(wave_height(np.array(place), middle, amplitude))
            near = np.ix_(abs(at - height) <= width / 2, abs(at - place) <= width / 2)
            on_wave[near] |= np.hypot(x[near] - place, y[near] - height) <= width / 2
    inside = np.ones((fine, fine), dtype=bool)
    if is_round:
        beyond = np.maximum(np.abs(np.stack((x, y)) - 0.5) - (0.5 - CORNER), 0)
        inside = np.hypot(*beyond) <= CORNER
    pixels = np.where(on_wave[..., None], WAVE, GROUND).astype(np.float64)
    image = np.dstack((pixels, 255.0 * inside))
    blocks = image.reshape(size, _OVERSAMPLING, size, _OVERSAMPLING, 4)
    averaged: np.ndarray = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return averaged


def encode_png(image: np.ndarray) -> bytes:
    """Encode RGBA pixels of at most 256 colours as PNG with a palette (RFC 2083)."""
    height, width, _ = image.shape
    colours, index = np.unique(image.reshape(-1, 4), axis=0, return_inverse=True)
    rows = index.reshape(height, width).astype(np.uint8)
    raw = b"".join(b"\x00" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", colours[:, :3].tobytes()),
        (b"tRNS", colours[:, 3].tobytes()),
        (b"IDAT", zlib.compress(raw, 9)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


if __name__ == "__main__":
    main()
