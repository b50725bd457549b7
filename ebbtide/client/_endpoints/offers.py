"""Practice by lot: agree, stop, see what was drawn and what it showed."""

from __future__ import annotations

from typing import Any

from ebbtide.client._transport import Transport


class OfferEndpoints(Transport):
    """Requests of ``api/routes/patient_data/offers.py``."""

    def offers(self) -> dict[str, Any]:
        """Get whether practices are offered by lot, how, and what a therapist proposes."""
        return self._dict("GET", "offers")

    def agree_to_offers(self, wording: str, **wishes: Any) -> dict[str, Any]:
        """Agree to offers by lot, which come with reminders.

        Parameters
        ----------
        wording : str
            Version of the text that was displayed, as ``offers`` gives it.
        **wishes : object
            Of ``arms``, ``base_probability``, ``delay_min``, ``first_days``, ``start_min``,
            ``end_min`` and ``times_min``; or ``proposal``, the number of what a therapist proposes.

        Returns
        -------
        dict
            The state of offers.
        """
        return self._dict("POST", "offers", {"wording": wording, **wishes})

    def stop_offers(self) -> dict[str, Any]:
        """Stop offers by lot; what was drawn and rated stays."""
        return self._dict("DELETE", "offers")

    def no_offer_now(self) -> dict[str, Any]:
        """Have nothing offered for three hours."""
        return self._dict("POST", "offers/not-now")

    def current_offer(self) -> dict[str, Any] | None:
        """Get the offer that can be taken now; None without one."""
        found: dict[str, Any] | None = self._dict("GET", "offers/now")["offer"]
        return found

    def act_on_offer(self, decision_point: str, action: str) -> dict[str, Any]:
        """Say that an offer was displayed, or not now.

        Parameters
        ----------
        decision_point : str
            Id of the moment.
        action : {"shown", "not now"}
            What happened.

        Returns
        -------
        dict
            The moment.
        """
        return self._dict("PUT", f"offers/points/{decision_point}", {"action": action})

    def offer_log(self) -> dict[str, Any]:
        """Get every moment: the hash stored before, and the draw after."""
        return self._dict("GET", "offers/log")

    def offer_results(self) -> dict[str, Any]:
        """Get what offers did to stress, pain, heart rate and RMSSD."""
        return self._dict("GET", "offers/results")

    def propose_offers(self, **wishes: Any) -> dict[str, Any]:
        """Propose offers by lot to a patient in one's care; they come once the patient agrees.

        Parameters
        ----------
        **wishes : object
            As for ``agree_to_offers``.

        Returns
        -------
        dict
            The state of offers.
        """
        return self._dict("PUT", "offers/proposal", wishes)
