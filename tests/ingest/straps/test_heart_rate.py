import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.straps.heart_rate import HeartRateMeasurement, MalformedMeasurementError, decode, encode

# Bytes and their meaning, worked out by hand from the flags of the specification.
KNOWN = [
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


@pytest.mark.parametrize(("payload", "meaning"), KNOWN)
def test_known_bytes(payload: str, meaning: HeartRateMeasurement) -> None:
    assert decode(bytes.fromhex(payload)) == meaning


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", "empty"),
        ("00", "before its heart rate"),
        ("01 48", "before its heart rate"),
        ("08 48 10", "before its energy expended"),
        ("10 48", "announce RR intervals and none follow"),
        ("10 48 00", "cut in half"),
        ("10 48 00 04 00", "cut in half"),
        ("00 48 00 04", "do not announce"),
    ],
)
def test_malformed_bytes_are_named(payload: str, why: str) -> None:
    with pytest.raises(MalformedMeasurementError, match=why):
        decode(bytes.fromhex(payload))


measurements = st.builds(
    HeartRateMeasurement,
    heart_rate_bpm=st.integers(0, 0xFFFF),
    contact=st.sampled_from([None, True, False]),
    energy_kj=st.none() | st.integers(0, 0xFFFF),
    rr_ticks=st.lists(st.integers(0, 0xFFFF), max_size=9).map(tuple),
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
    # Nothing invented and nothing dropped: every byte is accounted for.
    wide = payload[0] & 1
    energy = 2 if measurement.energy_kj is not None else 0
    assert len(payload) == 2 + wide + energy + 2 * len(measurement.rr_ticks)


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
