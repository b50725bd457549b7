import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.straps.heart_rate import (
    MAX_RR_TICKS,
    Fault,
    HeartRateMeasurement,
    MalformedMeasurementError,
    decode,
    encode,
)
from tests.support.heart_rate_grammar import check_messages

# Bytes and their meaning, worked out by hand from the flags of the specification.
EXAMPLES = [
    ("00 48", HeartRateMeasurement(72)),
    ("01 2c 01", HeartRateMeasurement(300)),
    ("04 48", HeartRateMeasurement(72, contact=False)),
    ("06 48", HeartRateMeasurement(72, contact=True)),
    ("02 48", HeartRateMeasurement(72, contact=None)),  # detected, but not supported
    ("08 48 10 27", HeartRateMeasurement(72, energy_kj=10_000)),
    ("10 3c 00 04", HeartRateMeasurement(60, rr_ticks=(1024,))),
    ("10 3c 00 04 ff 03", HeartRateMeasurement(60, rr_ticks=(1024, 1023))),
    ("1f 3c 00 05 00 00 04 01 02", HeartRateMeasurement(60, True, 5, (1024, 513))),
    ("16 3c" + " 00 04" * 9, HeartRateMeasurement(60, True, None, (1024,) * 9)),
    ("f0 3c 00 04", HeartRateMeasurement(60, rr_ticks=(1024,))),  # reserved flags ignored
]


@pytest.mark.parametrize(("payload", "meaning"), EXAMPLES)
def test_example_bytes(payload: str, meaning: HeartRateMeasurement) -> None:
    assert decode(bytes.fromhex(payload)) == meaning


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", "empty"),
        ("00", "before its heart rate"),
        ("01 48", "before its heart rate"),
    ],
)
def test_malformed_bytes_are_named(payload: str, why: str) -> None:
    with pytest.raises(MalformedMeasurementError, match=why):
        decode(bytes.fromhex(payload))


@pytest.mark.parametrize(
    ("payload", "meaning"),
    [
        ("10 48", HeartRateMeasurement(72)),  # no beat ended in that second
        ("10 48 00", HeartRateMeasurement(72, faults=(Fault.ODD_BYTE,))),
        ("10 48 00 04 00", HeartRateMeasurement(72, rr_ticks=(1024,), faults=(Fault.ODD_BYTE,))),
        ("00 48 00 04", HeartRateMeasurement(72, faults=(Fault.TRAILING_BYTES,))),
        ("08 48 10", HeartRateMeasurement(72, faults=(Fault.ENERGY_CUT,))),
        (
            "10 48 00 04 00 00 00 00",
            HeartRateMeasurement(72, rr_ticks=(1024,), faults=(Fault.ZERO_PLACES,)),
        ),
        (
            "10 48 00 04 ff ff 01 04",
            HeartRateMeasurement(72, None, None, (1024, 1025), (1,), (Fault.NO_VALUE,)),
        ),
    ],
)
def test_the_good_part_is_decoded(payload: str, meaning: HeartRateMeasurement) -> None:
    assert decode(bytes.fromhex(payload)) == meaning


# What straps send around good intervals: codes in their places, bytes after them.
messages = st.tuples(
    st.integers(0, 0xFFFF),
    st.sampled_from([0, 2, 4, 6]),
    st.none() | st.integers(0, 0xFFFF),
    st.lists(
        st.integers(1, MAX_RR_TICKS) | st.sampled_from([0, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF]),
        max_size=9,
    ),
    st.binary(max_size=1),
)


@settings(max_examples=int(os.environ.get("EBBTIDE_FUZZ_MESSAGES", "1000")), deadline=None)
@given(messages)
def test_rate_and_whole_intervals_survive(
    message: tuple[int, int, int | None, list[int], bytes],
) -> None:
    rate, contact, energy, places, odd = message
    flags = 0x10 | contact | (rate > 0xFF) | (8 if energy is not None else 0)
    payload = bytes([flags]) + rate.to_bytes(2 if rate > 0xFF else 1, "little")
    if energy is not None:
        payload += energy.to_bytes(2, "little")
    payload += b"".join(place.to_bytes(2, "little") for place in places) + odd
    decoded = decode(payload)
    assert (decoded.heart_rate_bpm, decoded.energy_kj) == (rate, energy)
    assert decoded.contact == (bool(contact & 2) if contact & 4 else None)
    assert decoded.rr_ticks == tuple(place for place in places if 0 < place <= MAX_RR_TICKS)
    assert len(decoded.no_value_at) == sum(place > MAX_RR_TICKS for place in places)
    assert (Fault.ODD_BYTE in decoded.faults) == bool(odd)
    assert (Fault.ZERO_PLACES in decoded.faults) == (0 in places)


measurements = st.builds(
    HeartRateMeasurement,
    heart_rate_bpm=st.integers(0, 0xFFFF),
    contact=st.sampled_from([None, True, False]),
    energy_kj=st.none() | st.integers(0, 0xFFFF),
    rr_ticks=st.lists(st.integers(1, MAX_RR_TICKS), max_size=9).map(tuple),
)


@given(measurements)
def test_what_is_encoded_is_decoded(measurement: HeartRateMeasurement) -> None:
    assert decode(encode(measurement)) == measurement


@given(st.binary(max_size=40))
def test_any_bytes_are_a_measurement_or_a_clear_error(payload: bytes) -> None:
    try:
        measurement = decode(payload)
    except MalformedMeasurementError as error:
        assert error.what and error.remedy
        return
    # Nothing invented, and nothing dropped without a fault that says so.
    wide = payload[0] & 1
    energy = 2 if measurement.energy_kj is not None else 0
    used = 2 + wide + energy + 2 * len(measurement.rr_ticks)
    assert used <= len(payload)
    assert measurement.faults or used == len(payload)


@pytest.mark.parametrize(
    "measurement",
    [
        HeartRateMeasurement(-1),
        HeartRateMeasurement(70_000),
        HeartRateMeasurement(60, rr_ticks=(-1,)),
    ],
)
def test_what_does_not_fit_is_not_encoded(measurement: HeartRateMeasurement) -> None:
    with pytest.raises(ValueError):
        encode(measurement)


def test_a_grammar_of_real_messages() -> None:
    # A million: python -m benchmarks.fuzz_heart_rate
    counts = check_messages(20_000, seed=7)
    assert counts["messages"] == 20_000
    assert counts["heart rates"] + counts["without a heart rate: refused"] == 20_000
    assert counts["intervals"] > 10_000
    assert all(counts[f"fault: {fault}"] > 20 for fault in Fault)
