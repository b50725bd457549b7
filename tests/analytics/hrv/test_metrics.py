"""The table of metrics: each row against its definition, and the page that lists them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from analytics.hrv.artefacts import label_beats
from analytics.hrv.correction import correct_beats
from analytics.hrv.engine import window_metrics
from analytics.hrv.metric import Metric
from analytics.hrv.requirements import METRICS, MIN_SECONDS, insufficient_reason
from analytics.hrv.summary import hrv_summary
from tests.analytics import reference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "evidence" / "hrv.md"


def test_every_metric_equals_its_definition() -> None:
    """Of a whole recording, by both ways to ask for it. A metric without a definition fails."""
    rng = np.random.default_rng(5)
    rr = 800 + 50 * np.sin(np.arange(1600) * 1.4) + rng.normal(0, 15, 1600)
    rr[[300, 700]] *= 1.9
    times = np.cumsum(rr) / 1000
    labels = label_beats(rr)
    series = correct_beats(rr, times, None, labels)
    follows = np.arange(len(rr)) > 0
    expected = (
        reference.time_domain(rr, labels.normal, follows)
        | reference.frequency_domain(
            *reference.plain_welch(series.time_s.tolist(), series.nn_ms.tolist())
        )
        | reference.nonlinear(series.nn_ms, series.follows)
    )
    assert set(expected) == set(METRICS)
    summary = hrv_summary(rr)
    assert not summary.missing_reason
    # Spectra are sampled from the start of a window on: here, from the first beat.
    start = series.time_s[:1]
    windows = window_metrics(rr, times, start, float(np.ptp(times)) + 0.3).values
    for name, value in expected.items():
        assert summary.values[name] == pytest.approx(value, rel=1e-9), name
        assert windows[name][0] == pytest.approx(value, rel=1e-9), name


def test_each_metric_has_what_it_needs() -> None:
    for name, metric in METRICS.items():
        assert metric.min_seconds or metric.min_intervals, name
        enough = insufficient_reason(name, metric.min_seconds, metric.min_intervals)
        assert enough is None
        assert insufficient_reason(name, metric.min_seconds - 1, metric.min_intervals - 1)
    assert MIN_SECONDS["rmssd_ms"] == 60


def page_row(metric: Metric[np.ndarray]) -> str:
    at_least = f"{metric.min_intervals} beats"
    if metric.min_seconds:
        seconds = metric.min_seconds
        at_least = f"{seconds // 60} min" if seconds >= 600 else f"{seconds} s"
    cells = (f"`{metric.name}`", metric.unit, metric.description, metric.source, at_least)
    return "| " + " | ".join(cells) + " |"


def test_the_page_lists_every_metric_as_it_is() -> None:
    table = re.findall(r"^\| `\w+` \| .*\|$", PAGE.read_text(), re.MULTILINE)
    assert table[: len(METRICS)] == [page_row(metric) for metric in METRICS.values()]
