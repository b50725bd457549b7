"""Practice offered by lot: draws, what the offers did to one person and to many, planning, safety.

A micro-randomised trial (Klasnja et al. 2015, Health Psychology 34:1220). At each decision point
chance decides, with a recorded probability, whether a practice is offered. What is compared is then
what the offer caused, since nothing but chance tells offered from other moments.
"""

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from analytics.practice.clinic import ClinicEffects, ClinicMoments, clinic_effects
    from analytics.practice.clinic_planning import (
        ClinicPlan,
        liao_power,
        liao_sample_size,
        plan_clinic,
        simulate_clinic_power,
    )
    from analytics.practice.confidence_sequence import Interval, IntervalSequence
    from analytics.practice.draws import (
        Draw,
        DrawError,
        block_name,
        commitment,
        derive_nonce,
        draw_probability,
        make_draw,
        verify_draws,
    )
    from analytics.practice.excursion_effects import Coefficient, Wcls, wcls
    from analytics.practice.mediation import MediatedEffects, mediated_effects
    from analytics.practice.missingness import MissingAnswers, missing_answers
    from analytics.practice.person import OfferEffect, offer_effect, offer_effect_by_look
    from analytics.practice.planning import PersonPlan, more_moments, plan_person
    from analytics.practice.randomisation import RandomisationTest, randomisation_test
    from analytics.practice.records import PersonDraws
    from analytics.practice.stopping import HarmCheck, check_harm
    from analytics.practice.taking import TakingEffect, taking_effect
    from analytics.practice.wording import OfferText, OfferVerdict, OutcomeWords, offer_sentence
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "analytics.practice.clinic": (
                "ClinicEffects",
                "ClinicMoments",
                "clinic_effects",
            ),
            "analytics.practice.clinic_planning": (
                "ClinicPlan",
                "liao_power",
                "liao_sample_size",
                "plan_clinic",
                "simulate_clinic_power",
            ),
            "analytics.practice.confidence_sequence": ("Interval", "IntervalSequence"),
            "analytics.practice.draws": (
                "Draw",
                "DrawError",
                "block_name",
                "commitment",
                "derive_nonce",
                "draw_probability",
                "make_draw",
                "verify_draws",
            ),
            "analytics.practice.mediation": ("MediatedEffects", "mediated_effects"),
            "analytics.practice.missingness": ("MissingAnswers", "missing_answers"),
            "analytics.practice.person": ("OfferEffect", "offer_effect", "offer_effect_by_look"),
            "analytics.practice.planning": ("PersonPlan", "more_moments", "plan_person"),
            "analytics.practice.randomisation": ("RandomisationTest", "randomisation_test"),
            "analytics.practice.records": ("PersonDraws",),
            "analytics.practice.stopping": ("HarmCheck", "check_harm"),
            "analytics.practice.taking": ("TakingEffect", "taking_effect"),
            "analytics.practice.wording": (
                "OfferText",
                "OfferVerdict",
                "OutcomeWords",
                "offer_sentence",
            ),
            "analytics.practice.excursion_effects": ("Coefficient", "Wcls", "wcls"),
        },
    )

__all__ = [
    "ClinicEffects",
    "ClinicMoments",
    "ClinicPlan",
    "Coefficient",
    "Draw",
    "DrawError",
    "HarmCheck",
    "Interval",
    "IntervalSequence",
    "MediatedEffects",
    "MissingAnswers",
    "OfferEffect",
    "OfferText",
    "OfferVerdict",
    "OutcomeWords",
    "PersonDraws",
    "PersonPlan",
    "RandomisationTest",
    "TakingEffect",
    "Wcls",
    "block_name",
    "check_harm",
    "clinic_effects",
    "commitment",
    "derive_nonce",
    "draw_probability",
    "liao_power",
    "liao_sample_size",
    "make_draw",
    "mediated_effects",
    "missing_answers",
    "more_moments",
    "offer_effect",
    "offer_effect_by_look",
    "offer_sentence",
    "plan_clinic",
    "plan_person",
    "randomisation_test",
    "simulate_clinic_power",
    "taking_effect",
    "verify_draws",
    "wcls",
]
