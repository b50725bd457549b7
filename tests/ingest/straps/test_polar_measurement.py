"""Polar's frames: real layouts, and any bytes at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.straps.heart_rate import MalformedMeasurementError
from ingest.straps.polar import measurement as polar
from ingest.straps.polar.measurement import Kind, PolarRefusedError, Setting

HEAD = (123).to_bytes(8, "little")


def ppi(*samples: tuple[int, int, int]) -> bytes:
    body = b"".join(
        bytes([rate]) + interval.to_bytes(2, "little") + b"\x05\x00" + bytes([flags])
        for rate, interval, flags in samples
    )
    return bytes([3]) + HEAD + b"\x00" + body


def test_pulse_intervals() -> None:
    found = polar.decode_ppi(ppi((62, 970, 0x06), (63, 952, 0x06)))
    assert (found.heart_rate_bpm, found.rr_ticks, found.contact) == (63, (970, 952), True)


def test_a_blocked_interval_is_stored_as_without_contact() -> None:
    found = polar.decode_ppi(ppi((62, 970, 0x06), (63, 400, 0x07)))
    assert (found.rr_ticks, found.contact) == ((970, 400), False)


def test_an_interval_of_zero_is_no_beat() -> None:
    assert polar.decode_ppi(ppi((0, 0, 0x00))).rr_ticks == ()


def test_acceleration_in_two_bytes_and_compressed() -> None:
    plain = (
        bytes([2])
        + HEAD
        + b"\x01"
        + b"".join(v.to_bytes(2, "little", signed=True) for v in (1, -2, 1000, 5, 6, -7))
    )
    assert polar.decode_acceleration(plain) == ((1, -2, 1000), (5, 6, -7))
    # Reference (10, -20, 1000), then two differences of 4 bits: (1, -1, 7), (-8, 0, 2).
    reference = b"".join(v.to_bytes(2, "little", signed=True) for v in (10, -20, 1000))
    nibbles = [1, -1, 7, -8, 0, 2]
    packed = sum((value & 15) << (4 * index) for index, value in enumerate(nibbles))
    delta = bytes([2]) + HEAD + b"\x81" + reference + bytes([4, 2]) + packed.to_bytes(3, "little")
    assert polar.decode_acceleration(delta) == ((10, -20, 1000), (11, -21, 1007), (3, -21, 1009))


def test_ecg_is_signed_microvolts() -> None:
    body = b"".join(v.to_bytes(3, "little", signed=True) for v in (-5, 0, 1200))
    assert polar.decode_ecg(bytes([0]) + HEAD + b"\x00" + body) == (-5, 0, 1200)


@pytest.mark.parametrize("decode", [polar.decode_ppi, polar.decode_acceleration, polar.decode_ecg])
@given(payload=st.binary(max_size=60))
def test_any_bytes_give_a_measurement_or_a_clear_error(
    decode: Callable[[bytes], object], payload: bytes
) -> None:
    try:
        decode(payload)
    except MalformedMeasurementError as error:
        assert "Not a Polar measurement" in error.what
        assert error.remedy


def test_features_and_settings_of_an_h10() -> None:
    assert polar.parse_features(bytes.fromhex("0f 05 00")) == {Kind.ECG, Kind.ACCELERATION}
    assert polar.parse_features(b"") == frozenset()
    offer = polar.parse_settings(
        bytes.fromhex("00 04 19 00 32 00 64 00 c8 00 01 01 10 00 02 03 02 00 04 00 08 00")
    )
    assert offer == {
        Setting.SAMPLE_RATE: [25, 50, 100, 200],
        Setting.RESOLUTION: [16],
        Setting.RANGE: [2, 4, 8],
    }
    wanted = polar.choose_settings(offer)
    command = polar.start_command(Kind.ACCELERATION, wanted)
    # As the Polar SDK sends it for 25 Hz, 16 bits, 8 g.
    assert command == bytes.fromhex("02 02 00 01 19 00 01 01 10 00 02 01 08 00")


@given(st.binary(max_size=40))
def test_any_offer_can_be_read(parameters: bytes) -> None:
    polar.choose_settings(polar.parse_settings(parameters))


def test_a_refusal_says_why() -> None:
    assert polar.parse_response(bytes.fromhex("f0 01 02 00 00 00 01 19 00")) == bytes.fromhex(
        "00011900"
    )
    with pytest.raises(PolarRefusedError, match="paired first"):
        polar.parse_response(bytes.fromhex("f0 02 02 0c"))
    with pytest.raises(PolarRefusedError, match="no answer"):
        polar.parse_response(b"\x01")
