"""What the programme says, in English and in our own words, in one place: another language is another
module like this one. ``tests/test_texts.py`` reads all of it.
"""

from __future__ import annotations

WARNING_SIGNS = (
    "new weakness or numbness in an arm or leg",
    "numbness around the groin, between the legs or around the anus",
    "new trouble holding or passing urine or stool",
    "fever, chills, or feeling very ill together with the pain",
    "weight loss that you cannot explain",
    "pain after a fall, an accident or a blow",
    "a history of cancer, with a new kind of pain",
    "pain that grows steadily, day and night, whatever you do",
)
EMERGENCY = (
    "Chest pain, trouble breathing, a sudden headache unlike any before, a face or an arm that "
    "droops: **call your emergency number now.**"
)
NOT_A_DEVICE = (
    "Ebbtide is not a medical device and makes no diagnosis. New or worrying symptoms belong with a "
    "clinician: see *Before you begin*."
)

CONSENT = {
    "keeping": (
        "Ebbtide keeps my heartbeats, ratings and notes",
        "So that you can see them over time. Take it back, and they are erased.",
    ),
    "care": (
        "My therapist may see them",
        "Only a therapist in whose care you are, and only while this is on. You see who looked.",
    ),
    "research": (
        "They may be used for research, without my name",
        "Under another name, with all dates moved. Off is just as fine.",
    ),
}
WORDING = "English, 1"

STEPS = {
    "ask a clinician": ("First, one question", "Has a clinician ruled out a physical cause?"),
    "begin": ("When you like", "Begin the programme. Eight meetings in about four weeks."),
    "read": ("Something to read", "Two minutes on how pain works."),
    "somatic tracking": ("A little practice", "Somatic tracking, five minutes or more."),
    "paced breathing": ("A little practice", "Slow breathing, as long as it feels good."),
    "note a trigger": (
        "Understanding",
        "Did anything come together with pain today? A word will do.",
    ),
    "notice something pleasant": (
        "Something pleasant",
        "Is there anything that feels good, or easy?",
    ),
    "follow-up": ("A look back", "Some months have passed. How is it now?"),
    "nothing": ("That is plenty for today", "Nothing more to do. Enjoy the rest of the day."),
}

READINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pain-is-made-in-the-brain": (
        "All pain is made in the brain",
        (
            "A finger on a hot pan sends a signal. The signal itself is not pain. The brain weighs it: "
            "where is it, what happened before, is it dangerous? Only when the brain decides that you "
            "should protect yourself does it hurt.",
            "That holds for every pain, from a broken bone to a headache. It is not imagined. It is as "
            "real as pain can be, and it is made in the same place each time.",
        ),
    ),
    "false-signals": (
        "When the danger is over and the pain is not",
        (
            "Tissue heals, mostly within weeks. Sometimes the brain goes on as if it had not. It has "
            "learned that a place in the body is dangerous, and sends pain for things that are safe: "
            "sitting, bending, walking.",
            "Like a smoke detector that goes off when there is toast. The noise is real. There is no "
            "fire. What was learned can be learned anew.",
        ),
    ),
    "fear-and-pain": (
        "Fear turns it up",
        (
            "Worry about pain tells the brain that there is something to worry about. It listens more "
            "closely, and finds more. Watching, guarding and searching for causes do the same, however "
            "sensible they seem.",
            "You did nothing wrong. Anybody would worry. It is only good to know which way the dial "
            "turns: more fear, more pain; more ease, less.",
        ),
    ),
    "the-cycle": (
        "Round and round",
        (
            "Pain brings fear, fear brings pain. The circle has no single beginning, and it can be left "
            "at any point. One does not need to stop the pain to do so; it is enough to be a little "
            "less afraid of it.",
            "That is what practice is for: to feel a sensation, and to let the brain notice that "
            "nothing happens.",
        ),
    ),
    "how-it-changes": (
        "How it changes",
        (
            "Not in a straight line. Some have an easier day early; for others it takes weeks. A "
            "sensation that moves, changes or comes and goes with moods and places is a good sign that "
            "the brain has a hand in it.",
            "In a trial with people who had back pain for ten years on average, two of three were free "
            "or nearly free of pain after four weeks of this. One of three was not. Both can happen, "
            "and neither is a grade.",
        ),
    ),
    "setbacks": (
        "When it comes back",
        (
            "It often does, for a day or a week, after stress, an illness, or for no reason at all. An "
            "old path is still there, and now and then the brain takes it.",
            "Nothing has broken. You know the way out, since you have walked it: a little less "
            "attention, a little more kindness, something pleasant.",
        ),
    ),
}

TRACKING = (
    (
        "Arriving",
        0.15,
        (
            "Sit or lie as you like. Nothing has to happen now.",
            "Let the breath come by itself. There is no right way.",
        ),
    ),
    (
        "Mindfulness: just looking",
        0.3,
        (
            "Turn to a sensation, as one looks at a fish in clear water: curious, without wanting "
            "anything of it.",
            "Where is it? Is it wide or narrow? Warm, tight, dull, tingling?",
            "Does it stay, or does it move? You need not change it.",
            "If it grows, that is interesting. If it fades, that is interesting too.",
        ),
    ),
    (
        "Safety: it is only a sensation",
        0.3,
        (
            "Say it to yourself, in your own words: my body is all right. This is a signal, and there "
            "is nothing to protect.",
            "A brain that is careful is a kind brain. It may rest now.",
            "Look again, as one looks at weather. It is here, and you are safe.",
        ),
    ),
    (
        "Ease: something pleasant",
        0.25,
        (
            "Is there a place in the body that feels neutral, or good? A hand, the warmth of the breath?",
            "Stay there for a while. Let it be as large as it likes.",
            "Perhaps think of somebody who makes you smile.",
        ),
    ),
)
TRACKING_CAUTION = (
    "If the pain is strong, this is not the time for looking at it: do something that soothes you, and "
    "come back another day."
)
BREATHING_CAUTION = (
    "Stop if you feel dizzy. Breathing slowly makes RMSSD larger by itself: the number says how you "
    "breathe, not how well you do."
)
PATTERNS_CAUTION = (
    "Not what brings harder days: one also notes more on them. A harder day has more pain than the days "
    "around it."
)
LESS_OFTEN = (
    "Watching pain closely feeds it. Rate as seldom as you like; the answer becomes surer with more "
    "ratings, and you do not become worse with fewer."
)
