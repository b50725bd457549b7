"""Change over a therapy programme: before and after, groups, practices, patterns; when to ask."""

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from analytics.programme.around_practice import PracticeEffect, practice_effect
    from analytics.programme.change import (
        AroundSession,
        Change,
        Onset,
        Trend,
        around_sessions,
        change_between,
        first_to_last_week,
        onset,
        trend,
    )
    from analytics.programme.outcomes import (
        GroupOutcome,
        HedgesG,
        Share,
        group_outcome,
        hedges_g,
        share,
    )
    from analytics.programme.prompt_plan import (
        Burst,
        DayHours,
        Pause,
        PlanError,
        PlannedPrompt,
        PromptPlan,
        PromptReason,
        draw_day,
        follow_up,
        validate_plan,
    )
    from analytics.programme.questionnaire_schedule import (
        DueQuestionnaire,
        Occasion,
        OccasionWindow,
        plan_occasions,
        questionnaires_due,
    )
    from analytics.programme.questionnaire_scores import (
        ScoreChange,
        ScoreValue,
        changing_score,
        check_answers,
        find_concerns,
        score_answers,
        score_change,
    )
    from analytics.programme.trigger_patterns import (
        NotedDays,
        TriggerPattern,
        trigger_pattern,
        wilson_interval,
    )
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "analytics.programme.around_practice": ("PracticeEffect", "practice_effect"),
            "analytics.programme.change": (
                "AroundSession",
                "Change",
                "Onset",
                "Trend",
                "around_sessions",
                "change_between",
                "first_to_last_week",
                "onset",
                "trend",
            ),
            "analytics.programme.outcomes": (
                "GroupOutcome",
                "HedgesG",
                "Share",
                "group_outcome",
                "hedges_g",
                "share",
            ),
            "analytics.programme.questionnaire_schedule": (
                "DueQuestionnaire",
                "Occasion",
                "OccasionWindow",
                "plan_occasions",
                "questionnaires_due",
            ),
            "analytics.programme.questionnaire_scores": (
                "ScoreChange",
                "ScoreValue",
                "changing_score",
                "check_answers",
                "find_concerns",
                "score_answers",
                "score_change",
            ),
            "analytics.programme.prompt_plan": (
                "Burst",
                "DayHours",
                "Pause",
                "PlanError",
                "PlannedPrompt",
                "PromptPlan",
                "PromptReason",
                "draw_day",
                "follow_up",
                "validate_plan",
            ),
            "analytics.programme.trigger_patterns": (
                "NotedDays",
                "TriggerPattern",
                "trigger_pattern",
                "wilson_interval",
            ),
        },
    )

__all__ = [
    "AroundSession",
    "Burst",
    "Change",
    "DayHours",
    "DueQuestionnaire",
    "GroupOutcome",
    "HedgesG",
    "NotedDays",
    "Occasion",
    "OccasionWindow",
    "Onset",
    "Pause",
    "PlanError",
    "PlannedPrompt",
    "PracticeEffect",
    "PromptPlan",
    "PromptReason",
    "ScoreChange",
    "ScoreValue",
    "Share",
    "Trend",
    "TriggerPattern",
    "around_sessions",
    "change_between",
    "changing_score",
    "check_answers",
    "draw_day",
    "find_concerns",
    "first_to_last_week",
    "follow_up",
    "group_outcome",
    "hedges_g",
    "onset",
    "plan_occasions",
    "practice_effect",
    "questionnaires_due",
    "score_answers",
    "score_change",
    "share",
    "trend",
    "trigger_pattern",
    "validate_plan",
    "wilson_interval",
]
