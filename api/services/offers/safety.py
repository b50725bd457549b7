"""The rule that stops offers, after each rating that one could have changed."""

from __future__ import annotations

from api.services.offers.plans import stop
from api.services.offers.results import check_offers_harm, load_offer_inputs
from ebbtide.timestamps import DAY
from store import Stores
from store.models import OfferEnd, Person, Rating

_ENDS = {"stress": OfferEnd.HARM_STRESS, "pain": OfferEnd.HARM_PAIN}


def after_rating(stores: Stores, person: Person, rating: Rating) -> None:
    """Look at a rating that answers a prompt: the rating after is planned, and offers end where
    they do harm. Cheap where nothing is offered by lot.
    """
    if rating.prompt_id is None:
        return
    now = stores.now()
    stores.prompts.wake(person.id, now)
    after = [item.after_prompt_id for item in stores.offers.points(person.id, now - DAY, now + 1)]
    if rating.prompt_id in after:
        stop_if_harmful(stores, person)


def stop_if_harmful(stores: Stores, person: Person) -> OfferEnd | None:
    """End offers after which stress or pain is higher with certainty; why, where they end now."""
    plans = stores.offers.plans(person.id)
    if not any(plan.is_active for plan in plans):
        return None
    # What ended before for this reason, and was proposed again, is judged anew.
    ended = [plan.number for plan in plans if plan.ended_why in set(map(str, _ENDS.values()))]
    inputs = load_offer_inputs(
        stores, person, first_plan=max(ended, default=0) + 1, with_heart=False
    )
    harm = check_offers_harm(inputs)
    if not harm.must_stop or harm.outcome is None:
        return None
    why = _ENDS[harm.outcome]
    return why if stop(stores, person.id, why) else None
