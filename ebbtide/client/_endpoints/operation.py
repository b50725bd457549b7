"""The state of the service, for administrators (``api/routes/people/operation.py``)."""

from __future__ import annotations

from typing import Any

from ebbtide.client._transport import Transport


class OperationEndpoints(Transport):
    """Requests of who runs the service. No health data."""

    def operation_state(self) -> dict[str, Any]:
        """Get version, stores, jobs of each day, recorders, backups and settings."""
        return self._dict("GET", "operation/state", prefix="/v1")

    def operation_jobs(self) -> dict[str, Any]:
        """Get what waits in the queue of jobs, runs and failed, on all machines."""
        return self._dict("GET", "operation/jobs", prefix="/v1")

    def operation_retry_job(self, job_id: int) -> None:
        """Have a failed job tried again now. Raises ApiError where no such job failed."""
        self._request("POST", f"operation/jobs/{job_id}/retry", prefix="/v1")

    def operation_consents(self) -> list[dict[str, Any]]:
        """List what each patient agrees to now."""
        return self._list("GET", "operation/consents", prefix="/v1")

    def operation_access_log(self, limit: int = 200, before: int | None = None) -> dict[str, Any]:
        """Get who used whose data, newest first.

        Parameters
        ----------
        limit : int
            How many at most.
        before : int, optional
            ``next`` of the page before.

        Returns
        -------
        dict
            ``entries``, and ``next``.
        """
        params = {"limit": limit, "before": before}
        return self._dict("GET", "operation/access-log", params=params, prefix="/v1")

    def operation_retention(self) -> dict[str, Any]:
        """Get whose data may not be kept any longer (``expired``), and the ``erasures``."""
        return self._dict("GET", "operation/retention", prefix="/v1")

    def erase_account(self, person_id: str, email: str, password: str) -> dict[str, Any]:
        """Erase an account with everything of it, for good.

        Parameters
        ----------
        person_id : str
            Id of the account.
        email : str
            Its address, once more.
        password : str
            The administrator's own.

        Returns
        -------
        dict
            How much was erased and read again, ``copies`` that may be left, and ``remaining``.
        """
        body = {"email": email, "password": password}
        return self._dict("POST", f"accounts/{person_id}/erase", body, prefix="/v1")
