"""Ratings, sessions, streams, notes, practices and the programme of a patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ebbtide.client._transport import Transport


class PatientDataEndpoints(Transport):
    """Requests of ``api/routes/patient_data``."""

    _simulated = False  # whether ratings are marked as generated; see Client

    def rate(self, rating: Mapping[str, Any]) -> dict[str, Any]:
        """Enter a rating.

        Parameters
        ----------
        rating : mapping
            ``pain`` and ``stress``, 0 to 10, and where wanted ``pleasant``, ``about`` (ISO 8601)
            and ``zone``.

        Returns
        -------
        dict
            The rating with ``id`` and ``version``.

        Raises
        ------
        ApiError
            If a value is out of range: ``fields`` names it.

        Examples
        --------
        >>> with Client.sign_in(url, email, password) as api:  # doctest: +SKIP
        ...     api.rate({"pain": 3, "stress": 4})["version"]
        1
        """
        marked = {"simulated": True} if self._simulated else {}
        return self._dict("POST", "ratings", {**rating, **marked})

    def correct(self, rating_id: str, rating: Mapping[str, Any]) -> dict[str, Any]:
        """Correct a rating.

        Parameters
        ----------
        rating_id : str
            Id of the rating.
        rating : mapping
            As for `rate`, and ``version``: the one that is corrected.

        Returns
        -------
        dict
            The rating, with its new ``version``.

        Raises
        ------
        ApiError
            With status 409 if the rating has changed since that version.
        """
        return self._dict("PUT", f"ratings/{rating_id}", dict(rating))

    def withdraw(self, rating_id: str, version: int) -> dict[str, Any]:
        """Withdraw a rating.

        Parameters
        ----------
        rating_id : str
            Id of the rating.
        version : int
            The version that is withdrawn.

        Returns
        -------
        dict
            The rating, ``withdrawn``.
        """
        return self._dict("DELETE", f"ratings/{rating_id}", params={"version": version})

    def rating_list(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """List the ratings of a range, over all pages.

        Parameters
        ----------
        start, end : datetime
            Half-open range of the moments that are rated.

        Returns
        -------
        list of dict
            The ratings by time. `Client.ratings` gives the same as a frame.
        """
        return list(self._pages("ratings", "ratings", start=start, end=end, limit=1000))

    def session_list(self) -> list[dict[str, Any]]:
        """List the therapy sessions by time. `Client.sessions` gives the same as a frame."""
        return self._list("GET", "sessions")

    def put_session(
        self, number: int, held: datetime, version: int | None = None
    ) -> dict[str, Any]:
        """Plan or move a session.

        Parameters
        ----------
        number : int
            1 for the first session of the programme.
        held : datetime
            When it is held.
        version : int, optional
            The version that is replaced, 0 for none; any if left out.

        Returns
        -------
        dict
            The session, with its new ``version``.
        """
        body = {"held": held.isoformat(), "version": version}
        return self._dict("PUT", f"sessions/{number}", body)

    def session_notes(self) -> list[dict[str, Any]]:
        """List a therapist's notes of the sessions of a patient."""
        return self._list("GET", "session-notes")

    def put_session_notes(
        self, number: int, notes: str, homework: str, version: int
    ) -> dict[str, Any]:
        """Store a therapist's notes of a session.

        Parameters
        ----------
        number : int
            Of the session.
        notes, homework : str
            The texts; the patient sees the homework only.
        version : int
            The version that is replaced, 0 for none.

        Returns
        -------
        dict
            The notes, with their new ``version``.
        """
        body = {"notes": notes, "homework": homework, "version": version}
        return self._dict("PUT", f"sessions/{number}/notes", body)

    def homework(self) -> list[dict[str, Any]]:
        """List the homework of the sessions."""
        return self._list("GET", "homework")

    def streams(self) -> dict[str, Any]:
        """Get the number of beats stored, and the same for each stream."""
        return self._dict("GET", "streams")

    def stream(self, stream_id: str) -> dict[str, Any]:
        """Get one stream: its source, how many beats are stored, the first and the last of them.

        Parameters
        ----------
        stream_id : str
            Id of the stream.

        Returns
        -------
        dict
            The stream; times in UTC nanoseconds.
        """
        return self._dict("GET", f"streams/{stream_id}")

    def remove_stream(self, stream_id: str) -> int:
        """Remove one recording, with what was computed from it.

        Parameters
        ----------
        stream_id : str
            Id of the stream.

        Returns
        -------
        int
            How many beats it had.
        """
        return int(self._dict("DELETE", f"streams/{stream_id}")["beats"])

    def gaps(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> list[dict[str, Any]]:
        """List times without beats.

        Parameters
        ----------
        start, end : datetime, optional
            Half-open range; everything if left out.

        Returns
        -------
        list of dict
            Start, end and reason of each gap.
        """
        return self._list("GET", "gaps", params={"start": start, "end": end})

    def notes(self) -> list[dict[str, Any]]:
        """List notes: triggers, fears, stressors, what helped, what was pleasant."""
        return self._list("GET", "notes")

    def note(self, kind: str, words: str) -> dict[str, Any]:
        """Enter a note about now.

        Parameters
        ----------
        kind : {"trigger", "fear", "stressor", "helped", "pleasant"}
            What it is about.
        words : str
            The text.

        Returns
        -------
        dict
            The note, with its ``id``.
        """
        return self._dict("POST", "notes", {"kind": kind, "words": words})

    def delete_note(self, note_id: str) -> None:
        """Delete a note.

        Parameters
        ----------
        note_id : str
            Id of the note.
        """
        self._request("DELETE", f"notes/{note_id}")

    def patterns(self) -> dict[str, Any]:
        """Compare what was noted on days of more pain with the other days."""
        return self._dict("GET", "notes/patterns")

    def practices(self) -> list[dict[str, Any]]:
        """List guided practices."""
        return self._list("GET", "practices")

    def practices_around(self) -> dict[str, Any]:
        """Get heart and ratings before, during and after practices."""
        return self._dict("GET", "practices/around")

    def put_practice(self, practice_id: str, practice: Mapping[str, Any]) -> dict[str, Any]:
        """Store a practice.

        Parameters
        ----------
        practice_id : str
            A UUID of the caller's making; the same id replaces.
        practice : mapping
            Kind, start, end, and ratings before and after.

        Returns
        -------
        dict
            The practice.
        """
        return self._dict("PUT", f"practices/{practice_id}", dict(practice))

    def reminders(self) -> dict[str, Any]:
        """Get when and how one is reminded to rate, and how many prompts were answered."""
        return self._dict("GET", "reminders")

    def put_reminders(self, **changes: Any) -> dict[str, Any]:
        """Change the reminders; what is not named stays.

        Parameters
        ----------
        **changes : object
            Of ``enabled``, ``hours``, ``random_a_day``, ``fixed_min``, ``pauses``, ``window_min``,
            ``put_off_min``, ``follow_up_min``, ``by_heart``, ``burst_agreed``, ``push``, ``mail``,
            ``desktop`` and ``shows_words``.

        Returns
        -------
        dict
            The reminders.
        """
        return self._dict("PUT", "reminders", changes)

    def pause_reminders(self, days: int) -> dict[str, Any]:
        """Have no prompts today and on the days after.

        Parameters
        ----------
        days : int
            How many days, today included; 0 ends a pause.

        Returns
        -------
        dict
            The reminders.
        """
        return self._dict("POST", "reminders/pause", {"days": days})

    def propose_burst(self, days: int, a_day: int) -> dict[str, Any]:
        """Propose more prompts around sessions to a patient in one's care.

        Parameters
        ----------
        days : int
            How many days before and after a session.
        a_day : int
            Prompts on each of these days.

        Returns
        -------
        dict
            The reminders.
        """
        return self._dict("PUT", "reminders/burst", {"days": days, "a_day": a_day})

    def new_calendar(self) -> str:
        """Make the secret address of a calendar with alarms; the one before ends.

        Returns
        -------
        str
            Its path, below the address of the API.
        """
        return str(self._dict("POST", "reminders/calendar")["path"])

    def end_calendar(self) -> None:
        """End the address of the calendar."""
        self._request("DELETE", "reminders/calendar")

    def prompt_list(self) -> list[dict[str, Any]]:
        """List prompts: when each was planned and why, and what became of it."""
        return self._list("GET", "prompts")

    def waiting_prompt(self) -> dict[str, Any]:
        """Get the prompt that can be answered now, or the one that was missed last."""
        return self._dict("GET", "prompts/waiting")

    def prompts_csv(self, form: str = "m-path") -> str:
        """Ask for the prompts and ratings as a CSV file, as m-Path or REDCap export theirs.

        Parameters
        ----------
        form : {"m-path", "redcap"}
            Whose export it is like.

        Returns
        -------
        str
            The file.
        """
        answer = self._request("GET", "prompts/csv", params={"form": form})
        return str(answer.text)

    def prompts_from_csv(self, csv: str, form: str = "m-path") -> dict[str, Any]:
        """Store the prompts and ratings of a CSV file.

        Parameters
        ----------
        csv : str
            The file.
        form : {"m-path", "redcap"}
            Whose export it is like.

        Returns
        -------
        dict
            How many rows were stored and are new, and the rows that were skipped.
        """
        return self._dict("POST", "prompts/csv", {"form": form, "csv": csv})

    def act_on_prompt(self, prompt_id: str, action: str) -> dict[str, Any]:
        """Put a prompt off, let it go, or say that it was opened.

        Parameters
        ----------
        prompt_id : str
            Id of the prompt.
        action : str
            ``put off``, ``let go``, ``opened`` or ``delivered``.

        Returns
        -------
        dict
            The prompt.
        """
        return self._dict("PUT", f"prompts/{prompt_id}", {"action": action})

    def programme(self) -> dict[str, Any]:
        """Get the state of the programme, and its next step."""
        return self._dict("GET", "programme")

    def put_programme(self, **changes: Any) -> dict[str, Any]:
        """Change the programme.

        Parameters
        ----------
        **changes : object
            Of ``physical_cause_ruled_out``, ``started`` and ``ratings_a_day``.

        Returns
        -------
        dict
            The programme.
        """
        return self._dict("PUT", "programme", changes)

    def mark_read(self, reading: str) -> None:
        """Mark a reading of the programme as read.

        Parameters
        ----------
        reading : str
            Key of the reading.
        """
        self._request("PUT", f"programme/readings/{reading}")

    def questionnaires(self) -> dict[str, Any]:
        """Get the questionnaires that there are, with items, answers, licence and source.

        Returns
        -------
        dict
            ``questionnaires``, and ``help``: words to show at once where an answer reaches one of
            the ``concerns``.
        """
        return self._dict("GET", "questionnaires")

    def questionnaires_due(self) -> list[dict[str, Any]]:
        """List the questionnaires that may be answered now, and for which occasion."""
        return self._list("GET", "questionnaires/due")

    def answer(self, questionnaire: str, answers: Mapping[str, int], **more: Any) -> dict[str, Any]:
        """Enter answers to a questionnaire.

        Parameters
        ----------
        questionnaire : str
            Its id, such as ``gad7``.
        answers : mapping of str to int
            The chosen value of each answered item.
        **more : object
            Of ``definition_version``, ``language``, ``about`` (ISO 8601), ``zone`` and ``id``.

        Returns
        -------
        dict
            The answers with ``id``, ``version`` and ``scores``; ``help``: words to show at once.

        Raises
        ------
        ApiError
            If an answer is none of its item's.
        """
        marked = {"simulated": True} if self._simulated else {}
        body = {"questionnaire": questionnaire, "answers": dict(answers), **more, **marked}
        return self._dict("POST", "questionnaires/responses", body)

    def correct_answers(
        self, response_id: str, answers: Mapping[str, int], version: int
    ) -> dict[str, Any]:
        """Correct answers to a questionnaire.

        Parameters
        ----------
        response_id : str
            Id of the answers.
        answers : mapping of str to int
            All of them.
        version : int
            The version that is corrected.

        Returns
        -------
        dict
            The answers, with their new ``version``.
        """
        body = {"answers": dict(answers), "version": version}
        return self._dict("PUT", f"questionnaires/responses/{response_id}", body)

    def withdraw_answers(self, response_id: str, version: int) -> dict[str, Any]:
        """Withdraw answers to a questionnaire.

        Parameters
        ----------
        response_id : str
            Id of the answers.
        version : int
            The version that is withdrawn.

        Returns
        -------
        dict
            The answers, ``withdrawn``.
        """
        return self._dict(
            "DELETE", f"questionnaires/responses/{response_id}", params={"version": version}
        )

    def answers(self) -> list[dict[str, Any]]:
        """List answers to questionnaires with their scores, oldest first."""
        return self._list("GET", "questionnaires/responses")

    def answers_history(self, response_id: str) -> list[dict[str, Any]]:
        """List every version of answers, oldest first.

        Parameters
        ----------
        response_id : str
            Id of the answers.

        Returns
        -------
        list of dict
            The versions.
        """
        return self._list("GET", f"questionnaires/responses/{response_id}/history")

    def questionnaire_changes(self) -> dict[str, Any]:
        """Get the change since the first answers, and answers that need care."""
        return self._dict("GET", "questionnaires/change")

    def answers_csv(self, form: str = "redcap") -> str:
        """Get answers as CSV.

        Parameters
        ----------
        form : {"redcap", "m-path"}
            Whose export it is like.

        Returns
        -------
        str
            The file.
        """
        answer = self._request("GET", "questionnaires/csv", params={"form": form})
        return str(answer.text)

    def answers_from_csv(self, csv: str, form: str = "redcap") -> dict[str, Any]:
        """Store the answers of a CSV file.

        Parameters
        ----------
        csv : str
            The file.
        form : {"redcap", "m-path"}
            Whose export it is like.

        Returns
        -------
        dict
            How many were stored and are new, and the rows that were skipped.
        """
        return self._dict("POST", "questionnaires/csv", {"form": form, "csv": csv})
