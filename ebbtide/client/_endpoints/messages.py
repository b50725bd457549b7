"""Short messages of a therapist to a patient (``api/routes/patient_data/messages.py``)."""

from __future__ import annotations

from typing import Any

from ebbtide.client._transport import Transport


class MessageEndpoints(Transport):
    """Requests of messages. A therapist asks with `Client.patient`."""

    def messages(self) -> dict[str, Any]:
        """Get the ``messages`` to oneself, newest first, with a ``notice`` and whom to call."""
        return self._dict("GET", "messages", prefix="/v1")

    def see_message(self, message_id: str) -> None:
        """Say that one has read a message.

        Parameters
        ----------
        message_id : str
            Id of the message.
        """
        self._request("PUT", f"messages/{message_id}/seen", prefix="/v1")

    def written_messages(self) -> list[dict[str, Any]]:
        """List what was written to the patient, newest first; for therapists."""
        return self._list("GET", "messages")

    def write_message(self, words: str) -> dict[str, Any]:
        """Write to the patient; for therapists. Nobody is notified, and there is no answer.

        Parameters
        ----------
        words : str
            500 characters at most.

        Returns
        -------
        dict
            The message; ``seen`` says when it was read.
        """
        return self._dict("POST", "messages", {"words": words})

    def remove_message(self, message_id: str) -> None:
        """Remove a message of one's own; for therapists.

        Parameters
        ----------
        message_id : str
            Id of the message.
        """
        self._request("DELETE", f"messages/{message_id}")
