"""Tables as data frames (``/export`` and ``/research``), and files."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeAlias

from ebbtide.client._bodies import require_whole
from ebbtide.client._frames import add_rr_ms
from ebbtide.client._transport import Transport

Moment: TypeAlias = datetime | str | None


class Tables(Transport):
    """Tables of one person, of a therapist's patient, or of a cohort.

    All methods return a ``pandas.DataFrame``, or a ``polars.DataFrame`` for
    ``frames="polars"``, and share these parameters:

    Parameters
    ----------
    start, end : datetime, optional
        Aware datetimes of a half-open range; everything if left out. Research takes naive ones, as
        its times are.
    since : datetime or str, optional
        Only what changed since, for repeated exports: a moment, or the ``until`` of the client
        after an earlier table. Research takes only the latter.
    **more : object
        Further query parameters of the endpoint, such as ``person`` of a cohort.

    Raises
    ------
    ApiError
        If the API refuses: see SignedOutError and UnavailableError, and ``ApiError.kind``.
    """

    _tables = "export"

    def beats(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get RR intervals with their times.

        Returns
        -------
        DataFrame
            A row an interval: ``time`` (UTC) and ``time_ns``, ``rr_ms``, ``rr_ticks`` with
            ``ticks_per_second``, ``follows`` (whether the interval began at the beat of the row
            before), ``contact``, ``stream``.

        Examples
        --------
        >>> with Client.sign_in(url, email, password) as api:  # doctest: +SKIP
        ...     api.beats().query("follows").rr_ms.mean()
        """
        found = self._table("beats", start=start, end=end, since=since, **more)
        return add_rr_ms(found, self.frames)

    def hrv(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get heart-rate variability of five-minute windows.

        Returns
        -------
        DataFrame
            A row a window: heart rate (bpm), RMSSD and SDNN (ms), stress index with its interval,
            and ``usable``.

        Examples
        --------
        >>> with Client.sign_in(url, email, password) as api:  # doctest: +SKIP
        ...     windows = api.hrv()
        ...     windows[windows.usable].rmssd_ms.median()
        """
        return self._table("hrv", start=start, end=end, since=since, **more)

    def ratings(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get ratings of pain, stress and pleasant sensations.

        Returns
        -------
        DataFrame
            A row a rating, each on a scale of 0 to 10; ``about`` is the moment that is rated.

        Examples
        --------
        >>> with Client.sign_in(url, email, password) as api:  # doctest: +SKIP
        ...     api.ratings()[["about", "pain", "stress"]]
        """
        return self._table("ratings", start=start, end=end, since=since, **more)

    def sessions(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get therapy sessions.

        Returns
        -------
        DataFrame
            A row a session: ``number`` and ``held``.
        """
        return self._table("sessions", start=start, end=end, since=since, **more)

    def heart_rates(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get heart rates that were imported without the intervals behind them.

        Returns
        -------
        DataFrame
            A row a heart rate: ``time`` and ``bpm``.
        """
        return self._table("heart_rates", start=start, end=end, since=since, **more)

    def questionnaire_answers(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get answers to questionnaires, and their scores.

        Returns
        -------
        DataFrame
            A row an item or a score: ``kind``, ``item`` and ``value``.
        """
        return self._table("scores", start=start, end=end, since=since, **more)

    def prompts(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get prompts: when a person was to be asked for a rating, and what became of it.

        Returns
        -------
        DataFrame
            A row a prompt: ``planned``, ``reason``, ``chance``, ``state``, ``answered``. The
            ratings' ``prompt`` names the one that each answers.
        """
        return self._table("prompts", start=start, end=end, since=since, **more)

    def decision_points(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get the moments of practice by lot, what was drawn, and ratings before and after.

        Returns
        -------
        DataFrame
            A row a moment: ``planned``, ``available``, ``probability``, ``offered``, ``taken``,
            ``stress_before``, ``stress_after``, ``pain_before`` and ``pain_after``.
        """
        return self._table("decision_points", start=start, end=end, since=since, **more)

    def stress_before(self, start: Moment = None, end: Moment = None, **more: object) -> Any:
        """Get the stress index of the half hour before each rating.

        Returns
        -------
        DataFrame
            A row a rating: ``rating``, ``about``, the index with its interval and the version of
            its method, or why there is none.
        """
        return self._table("stress_before", start=start, end=end, **more)

    def gaps(self, start: Moment = None, end: Moment = None, **more: object) -> Any:
        """Get the times of recordings without heartbeats.

        Returns
        -------
        DataFrame
            A row a gap: ``start``, ``seconds``, ``reason`` and ``words``.
        """
        return self._table("gaps", start=start, end=end, **more)

    def nights(
        self, start: Moment = None, end: Moment = None, since: Moment = None, **more: object
    ) -> Any:
        """Get nights that watches and rings measured.

        Returns
        -------
        DataFrame
            A row a night and source: ``start``, ``end``, ``basis``, ``rmssd_ms``, ``sdnn_ms``,
            ``mean_hr_bpm``, or why there is none.
        """
        return self._table("nights", start=start, end=end, since=since, **more)

    def link(self, span: str = "30 minutes", **more: object) -> Any:
        """Get the rows of the link report.

        Parameters
        ----------
        span : str
            How much of the heart before each rating is compared with it.
        **more : object
            Further query parameters.

        Returns
        -------
        DataFrame
            A row a comparison: estimate, interval, n and a sentence, or why there is none.
        """
        return self._table("link", span=span, **more)

    def batches(self, table: str, **params: object) -> AbstractContextManager[Any]:
        """Read a table of any size while it arrives.

        Parameters
        ----------
        table : str
            Which table: beats, hrv, ratings, sessions, link, heart_rates, scores, prompts,
            decision_points, stress_before, gaps or nights.
        **params : object
            Query parameters, as of the methods of the same names.

        Returns
        -------
        context manager of pyarrow.RecordBatchReader
            The batches, in order; an answer that breaks off raises UnavailableError while read.

        Examples
        --------
        >>> with api.research.batches("beats") as beats:  # doctest: +SKIP
        ...     rows = sum(batch.num_rows for batch in beats)
        """
        return self._arrow_stream(f"{self._tables}/{table}", params)

    def _table(self, name: str, **params: object) -> Any:
        return self._frame(f"{self._tables}/{name}", params)


class ExportEndpoints(Tables):
    """Tables of one person, as frames and as files."""

    def export_bytes(self, table: str, form: str) -> bytes:
        """Get a table as the content of a file.

        Parameters
        ----------
        table : str
            Which table: beats, hrv, ratings, sessions, link, heart_rates, scores, prompts,
            decision_points, stress_before, gaps or nights.
        form : {"csv", "parquet", "arrow"}
            Which format.

        Returns
        -------
        bytes
            The content.
        """
        return require_whole(self._send("GET", f"export/{table}", params={"format": form}))

    def datapackage(self) -> dict[str, Any]:
        """Describe the columns of all CSV exports.

        Returns
        -------
        dict
            A Frictionless Data Package (v2).
        """
        return self._dict("GET", "export/datapackage.json")

    def fhir(self) -> dict[str, Any]:
        """Get the first 10,000 observations.

        Returns
        -------
        dict
            A FHIR Bundle of Observation resources; its ``link`` leads to the next page.
        """
        return self._dict("GET", "fhir/Observation", params={"limit": 10_000})


class Research(Tables):
    """Read the data of people who consented to research, by pseudonym.

    Tables take ``person=[...]``, a list of at least five pseudonyms. Times are local, without a
    zone, and moved by whole weeks. See `Client.research`.

    Examples
    --------
    >>> with Client.sign_in(url, email, password) as api:  # doctest: +SKIP
    ...     people = api.research.people()
    ...     ratings = api.research.ratings(person=[row["person"] for row in people[:5]])
    """

    _tables = "research"

    def people(self) -> list[dict[str, Any]]:
        """List the people who consented to research.

        Returns
        -------
        list of dict
            Pseudonym ``person``, and how many beats, ratings and sessions are released; nobody
            where fewer than five consented.
        """
        found: list[dict[str, Any]] = self._request("GET", "research/people")["people"]
        return found

    def datapackage(self) -> dict[str, Any]:
        """Describe the columns of all tables.

        Returns
        -------
        dict
            A Frictionless Data Package (v2).
        """
        return self._dict("GET", "research/datapackage.json")

    def cohort(self) -> dict[str, Any]:
        """Get the ``people``, of how many ``patients``, and below which number nothing is given.

        Returns
        -------
        dict
            As `people`, with ``patients`` (rounded down to fives) and ``min_people``.
        """
        found: dict[str, Any] = self._request("GET", "research/people")
        return found

    def preview(self, table: str, rows: int = 5, **more: object) -> list[dict[str, Any]]:
        """Get the first rows of a table.

        Parameters
        ----------
        table : str
            Which table, as of `file`.
        rows : int
            How many at most.
        **more : object
            Further query parameters, such as ``person``.

        Returns
        -------
        list of dict
            The rows.
        """
        params = {"format": "json", "limit": rows, **more}
        found = self._request("GET", f"research/{table}", params=params)
        return list(found["rows"])

    def file(self, table: str, form: str, **more: object) -> bytes:
        """Get a table as the content of a file.

        Parameters
        ----------
        table : str
            Which table: beats, hrv, ratings, sessions, link, heart_rates, scores, prompts,
            decision_points, stress_before or gaps.
        form : {"csv", "parquet", "arrow"}
            Which format.
        **more : object
            Query parameters, such as ``person``.

        Returns
        -------
        bytes
            The content.
        """
        ending = "arrows" if form == "arrow" else form  # as IANA registers a stream of Arrow
        return require_whole(self._send("GET", f"research/{table}.{ending}", params=more))

    def clinic_link(self) -> dict[str, Any]:
        """Estimate the link of pain with stress over the whole cohort.

        Returns
        -------
        dict
            Estimate, interval and n, and the assumptions of the method.
        """
        return self._dict("GET", "research/clinic-link")

    def clinic_offers(self) -> dict[str, Any]:
        """Estimate what practice by lot did over the whole cohort.

        Returns
        -------
        dict
            Effects of offers on stress and pain, the split of that on pain into what goes with
            stress and the rest, or ``missing``; and what they rest on.
        """
        return self._dict("GET", "research/clinic-offers")
