"""HRV, its trend, the link report, the programme's course and live values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ebbtide.client._transport import Transport

_FIRST_TREND_TIMEOUT_S = 120.0  # the first trend of a year computes every day of it: 30 s


class AnalysisEndpoints(Transport):
    """Requests of ``api/routes/analysis``."""

    def first_days(self) -> dict[str, Any]:
        """Get how far the first days are, until there is enough for a first answer.

        Returns
        -------
        dict
            ``ratings`` of ``min_ratings``, ``days`` of ``min_days``, ``answer_from``, ``heart`` and
            what there is of it; ``has_answer``, ``is_over``.
        """
        return self._dict("GET", "first-days", prefix="/v1")

    def hrv_report(self, start: datetime, end: datetime) -> dict[str, Any]:
        """Compute HRV of one window, in words and numbers.

        Parameters
        ----------
        start, end : datetime
            The window, half-open, of at most 32 days.

        Returns
        -------
        dict
            ``windows``, a list of one: heart rate, RMSSD, SDNN, coverage, or ``missing``.
        """
        return self._dict("GET", "hrv", params={"start": start, "end": end})

    def trend(self, start: datetime, end: datetime, bucket_s: int) -> dict[str, Any]:
        """Compute medians of five-minute windows, with the stress index.

        Parameters
        ----------
        start, end : datetime
            Half-open range.
        bucket_s : int
            Width of a bucket in seconds.

        Returns
        -------
        dict
            A list of buckets, and how many windows were ``usable``.
        """
        params = {"start": start, "end": end, "bucket_s": bucket_s}
        return self._dict("GET", "hrv/trend", params=params, timeout_s=_FIRST_TREND_TIMEOUT_S)

    def stress_baseline(self) -> dict[str, Any]:
        """Get what the stress index is relative to: version, worn days, days it began anew on."""
        return self._dict("GET", "stress/baseline")

    def start_stress_baseline(self, day: str, reason: str) -> dict[str, Any]:
        """Begin the baseline of the stress index anew.

        Parameters
        ----------
        day : str
            A local day, as 2026-11-24.
        reason : {"illness", "new strap", "other"}
            Why the usual changed.

        Returns
        -------
        dict
            The stored day.
        """
        return self._dict("PUT", f"stress/baseline/{day}", {"reason": reason})

    def delete_stress_baseline(self, day: str) -> None:
        """Remove a day on which the baseline began anew.

        Parameters
        ----------
        day : str
            The local day.
        """
        self._request("DELETE", f"stress/baseline/{day}")

    def see_stress_baseline(self) -> None:
        """Say that one was told that older values were worked out anew."""
        self._request("POST", "stress/new-values/seen")

    def link_report(self, span: str = "30 minutes") -> dict[str, Any]:
        """Compute the link report over all ratings, in words and numbers.

        Parameters
        ----------
        span : str
            How much of the heart before each rating is compared with it.

        Returns
        -------
        dict
            The comparisons with estimate, interval, n and sentence, or ``missing``.
        """
        return self._dict("GET", "link", params={"span": span})

    def therapy(self, start: datetime | None = None, end: datetime | None = None) -> dict[str, Any]:
        """Compute the course of the programme: change since its start, beside the trial.

        Parameters
        ----------
        start, end : datetime, optional
            Half-open range: the change is then from its first week to its last.

        Returns
        -------
        dict
            Changes of pain and stress with their intervals, and what was around each session.
        """
        return self._dict("GET", "therapy", params={"start": start, "end": end})

    def live_now(self) -> dict[str, Any]:
        """Get heart rate and RMSSD of the last minute, or why there are none."""
        return self._dict("GET", "live/now")

    def share_live(self, minutes: int) -> dict[str, Any]:
        """Let the therapists of the patient see live values.

        Parameters
        ----------
        minutes : int
            For how long; 0 ends it.

        Returns
        -------
        dict
            Until when.
        """
        return self._dict("PUT", "live/sharing", {"minutes": minutes})

    def live_sharing(self) -> dict[str, Any]:
        """Get until when therapists may see live values."""
        return self._dict("GET", "live/sharing")
