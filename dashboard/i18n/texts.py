"""Texts of the programme, marked for translation; ``tests/dashboard/test_texts.py`` checks them."""

from __future__ import annotations

from dashboard.i18n.language import N_

WARNING_SIGNS = (
    N_("new weakness or numbness in an arm or leg"),
    N_("numbness around the groin, between the legs or around the anus"),
    N_("new trouble holding or passing urine or stool"),
    N_("fever, chills, or feeling very ill together with the pain"),
    N_("weight loss that you cannot explain"),
    N_("pain after a fall, an accident or a blow"),
    N_("a history of cancer, with a new kind of pain"),
    N_("pain that grows steadily, day and night, whatever you do"),
)
EMERGENCY = N_(
    "Chest pain, trouble breathing, a sudden headache unlike any before, a "
    "face or an arm that droops: **call your emergency number now.**"
)
NOT_A_DEVICE = N_(
    "Ebbtide is not a medical device and makes no diagnosis. New or worrying "
    "symptoms belong with a clinician: see *Before you begin*."
)

CONSENT = {
    "keeping": (
        N_("Ebbtide keeps my heartbeats, ratings and notes"),
        N_(
            "So that you can see them over time. Take it back, and nobody uses them any more; "
            "they are erased {when}."
        ),
    ),
    "care": (
        N_("My therapist may see them"),
        N_(
            "Only a therapist in whose care you are, and only while this is on. You see who looked."
        ),
    ),
    "research": (
        N_("They may be used for research, without my name"),
        N_("Under another name, with all dates moved. Off is just as fine."),
    ),
}
# Version of each text of consent: raised when its meaning changes.
WORDING = {"keeping": 2, "care": 1, "research": 1}
WELCOME = N_(
    "**Welcome.** Whether Ebbtide may keep what you enter and what a strap records "
    "is yours to say. Nothing is kept before that."
)
# Why nothing new is kept, by the state of the answer on keeping.
NOT_KEEPING = {
    "withdrawn": N_(
        "You took back that Ebbtide keeps your data. It keeps nothing new, and "
        "nobody uses what was there."
    ),
    "over": N_("The time that you agreed to is over. Ebbtide keeps nothing new."),
}

# What somebody may have at the beginning, and what they can do next with it.
BEGINNINGS = {
    "strap": (
        N_("A chest strap"),
        N_(
            "Put it on with moist electrodes. The page *My devices* finds it, and records it whenever you "
            "wear it. You can rate before that."
        ),
    ),
    "watch": (
        N_("A watch"),
        N_(
            "Many watches measure a heart rate and no single beats. Try what yours exports on the page "
            "*Bring in a file*. Your ratings alone are a good beginning."
        ),
    ),
    "file": (
        N_("A file of heartbeats"),
        N_(
            "The page *Bring in a file* reads FIT, Polar, Elite HRV, HRV4Training, Apple Health and plain "
            "RR intervals, and shows what is in it before anything is kept."
        ),
    ),
    "nothing": (
        N_("Nothing yet"),
        N_(
            "That is plenty. Ratings need nothing but you, and show how pain moved with stress. A strap "
            "can come later."
        ),
    ),
}

READ_ALONG = N_(
    "**Good to know first.** Between phone and computer nothing is encrypted. Whoever is in the same "
    "Wi-Fi and knows how could read along: your ratings, your notes, and what keeps you signed in. At "
    "home, with a Wi-Fi password, that is a small risk. In a café, a hotel or a clinic it is not."
)
NEEDS_HTTPS = N_(
    "On a phone opened this way you can rate, read and practise. Recording a strap with the phone, and "
    "passkeys, do not work there: browsers allow both with an encrypted address (https) alone. The strap "
    "stays with this computer."
)

PHONE_APP = N_(
    "A phone is enough: the app records your strap, takes your ratings and guides the practice, also "
    "without a net. What it holds is sent here as soon as there is one."
)
PHONE_ANDROID = N_(
    "**Android, with Chrome or Edge:** all of it. The app records while it is open and the screen is on."
)
PHONE_IPHONE = N_(
    "**iPhone:** rating, practice and your answer work in Safari. Recording a strap does not: Apple lets "
    "no page in Safari use Bluetooth. The browser *Bluefy* from the App Store can; or a computer records."
)
PHONE_NIGHT = N_(
    "**Nights:** a phone stops recording when its screen goes dark. For a night, use a computer near you."
)
PHONE_LOST = N_(
    "**Lost your phone?** Sign it out here. What it had not sent yet stays on it, locked; the app can "
    "reach your ratings and recordings and nothing else: no password, no therapist, no export."
)
PHONE_REVOKE = N_(
    "Sign this phone out? It cannot read or send anything any more. What it had not sent yet stays on it, "
    "locked, until you sign in on it again."
)
PHONE_NEEDS_HTTPS = N_(
    "At this address the app cannot run: browsers allow Bluetooth with an encrypted address (https) alone. "
    "Ask whoever runs this Ebbtide for one."
)
PHONE_WAYS = N_(
    "The app needs an encrypted address (https). There are two ways. **Less trouble:** your clinic's "
    "Ebbtide, if it has one; there you sign in, and no computer at home is needed. **More trouble, all your "
    "own:** end Ebbtide here, start it with `ebbtide start --https`, and let your phone trust this "
    "computer, once; a page leads you through it, about five minutes. On this computer itself the app runs "
    "as it is, in Chrome or Edge: a code signs it in."
)
PHONE_TRUST_FIRST = N_(
    "Has this phone opened Ebbtide before? If not, it has to trust this computer first: the page *This "
    "computer* shows a code for that."
)

NOTE_KINDS = {
    "trigger": N_("Came together with pain"),
    "fear": N_("A fear or worry"),
    "stressor": N_("Something stressful"),
    "helped": N_("Something that helped"),
    "pleasant": N_("Something pleasant"),
}

STEPS = {
    "ask a clinician": (
        N_("First, one question"),
        N_("Has a clinician ruled out a physical cause?"),
    ),
    "begin": (N_("When you like"), N_("Begin the programme. Eight meetings in about four weeks.")),
    "read": (N_("Something to read"), N_("Two minutes on how pain works.")),
    "somatic tracking": (N_("A little practice"), N_("Somatic tracking, five minutes or more.")),
    "paced breathing": (N_("A little practice"), N_("Slow breathing, as long as it feels good.")),
    "note a trigger": (
        N_("Understanding"),
        N_("Did anything come together with pain today? A word will do."),
    ),
    "notice something pleasant": (
        N_("Something pleasant"),
        N_("Is there anything that feels good, or easy?"),
    ),
    "follow-up": (N_("A look back"), N_("Some months have passed. How is it now?")),
    "nothing": (
        N_("That is plenty for today"),
        N_("Nothing more to do. Enjoy the rest of the day."),
    ),
}

READINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pain-is-made-in-the-brain": (
        N_("All pain is made in the brain"),
        (
            N_(
                "A finger on a hot pan sends a signal. The signal itself is not pain. "
                "The brain weighs it: where is it, what happened before, is it "
                "dangerous? Only when the brain decides that you should protect yourself "
                "does it hurt."
            ),
            N_(
                "That holds for every pain, from a broken bone to a headache. It is not "
                "imagined. It is as real as pain can be, and it is made in the same "
                "place each time."
            ),
        ),
    ),
    "false-signals": (
        N_("When the danger is over and the pain is not"),
        (
            N_(
                "Tissue heals, mostly within weeks. Sometimes the brain goes on as if it "
                "had not. It has learned that a place in the body is dangerous, and "
                "sends pain for things that are safe: sitting, bending, walking."
            ),
            N_(
                "Like a smoke detector that goes off when there is toast. The noise is "
                "real. There is no fire. What was learned can be learned anew."
            ),
        ),
    ),
    "fear-and-pain": (
        N_("Fear turns it up"),
        (
            N_(
                "Worry about pain tells the brain that there is something to worry "
                "about. It listens more closely, and finds more. Watching, guarding and "
                "searching for causes do the same, however sensible they seem."
            ),
            N_(
                "You did nothing wrong. Anybody would worry. It is only good to know "
                "which way the dial turns: more fear, more pain; more ease, less."
            ),
        ),
    ),
    "the-cycle": (
        N_("Round and round"),
        (
            N_(
                "Pain brings fear, fear brings pain. The circle has no single beginning, "
                "and it can be left at any point. One does not need to stop the pain to "
                "do so; it is enough to be a little less afraid of it."
            ),
            N_(
                "That is what practice is for: to feel a sensation, and to let the brain "
                "notice that nothing happens."
            ),
        ),
    ),
    "how-it-changes": (
        N_("How it changes"),
        (
            N_(
                "Not in a straight line. Some have an easier day early; for others it "
                "takes weeks. A sensation that moves, changes or comes and goes with "
                "moods and places is a good sign that the brain has a hand in it."
            ),
            N_(
                "In a trial with people who had back pain for ten years on average, two "
                "of three were free or nearly free of pain after four weeks of this. One "
                "of three was not. Both can happen, and neither is a grade."
            ),
        ),
    ),
    "setbacks": (
        N_("When it comes back"),
        (
            N_(
                "It often does, for a day or a week, after stress, an illness, or for no "
                "reason at all. An old path is still there, and now and then the brain "
                "takes it."
            ),
            N_(
                "Nothing has broken. You know the way out, since you have walked it: a "
                "little less attention, a little more kindness, something pleasant."
            ),
        ),
    ),
}

TRACKING = (
    (
        N_("Arriving"),
        0.15,
        (
            N_("Sit or lie as you like. Nothing has to happen now."),
            N_("Let the breath come by itself. There is no right way."),
        ),
    ),
    (
        N_("Mindfulness: just looking"),
        0.3,
        (
            N_(
                "Turn to a sensation, as one looks at a fish in clear water: curious, "
                "without wanting anything of it."
            ),
            N_("Where is it? Is it wide or narrow? Warm, tight, dull, tingling?"),
            N_("Does it stay, or does it move? You need not change it."),
            N_("If it grows, that is interesting. If it fades, that is interesting too."),
        ),
    ),
    (
        N_("Safety: it is only a sensation"),
        0.3,
        (
            N_(
                "Say it to yourself, in your own words: my body is all right. This is a "
                "signal, and there is nothing to protect."
            ),
            N_("A brain that is careful is a kind brain. It may rest now."),
            N_("Look again, as one looks at weather. It is here, and you are safe."),
        ),
    ),
    (
        N_("Ease: something pleasant"),
        0.25,
        (
            N_(
                "Is there a place in the body that feels neutral, or good? A hand, the "
                "warmth of the breath?"
            ),
            N_("Stay there for a while. Let it be as large as it likes."),
            N_("Perhaps think of somebody who makes you smile."),
        ),
    ),
)
# Savouring (Bryant and Veroff 2007), in our own words.
SAVOURING = (
    TRACKING[0],
    (
        N_("Around you: is there something pleasant?"),
        0.3,
        (
            N_("Look around, slowly. Is something nice to see? A colour, some light, a shape?"),
            N_("Listen. Is there a friendly sound, or a bit of quiet?"),
            N_("Perhaps something smells good, or feels soft in your hand."),
        ),
    ),
    (
        N_("In the body: what feels all right?"),
        0.25,
        (
            N_(
                "Now the body. Is a place warm, soft or at ease? It may be as small as a fingertip."
            ),
            N_("If you find none, that is fine. What you saw or heard will do."),
        ),
    ),
    (
        N_("Staying with it"),
        0.3,
        (
            N_("Choose the one that you like best."),
            N_("Stay with it for some breaths, as with a good taste. What is pleasant about it?"),
            N_("If the mind goes elsewhere, that is what minds do. Come back when you like."),
            N_("Is there a word or a picture for it? You may take that with you."),
        ),
    ),
)
SAVOURING_CAUTION = N_(
    "Nothing has to change. If you find nothing pleasant today, that is fine: looking is enough."
)
TRACKING_CAUTION = N_(
    "If the pain is strong, this is not the time for looking at it: do "
    "something that soothes you, and come back another day."
)
BREATHING_CAUTION = N_(
    "Stop if you feel dizzy. Breathing slowly makes RMSSD larger by itself: "
    "the number says how you breathe, not how well you do."
)
PATTERNS_CAUTION = N_(
    "Not what brings harder days: one also notes more on them. A harder day "
    "has more pain than the days around it."
)
LESS_OFTEN = N_(
    "Watching pain closely feeds it. Rate as seldom as you like; the answer "
    "becomes surer with more ratings, and you do not become worse with fewer."
)

PASSKEY = N_("A passkey is your fingerprint, face or PIN instead of a password.")
LOST = N_(
    "Sign in with one of your recovery codes, if you wrote them down. If not, ask your administrator for a link or code. It removes your passkeys and the codes of your app; then your password is enough to set up new ones."
)
SECOND_FACTOR_REQUIRED = N_(
    "Here staff need more than a password. Set up one of these two now; it takes two minutes. Then the other pages open."
)
SIGN_IN_AGAIN = N_(
    "Here staff need more than a password, and you have set it up already. Sign out, and sign in with your passkey, or with your password and a code."
)
APP = N_(
    "An app on your phone shows six digits, new ones every half minute. Ebbtide asks for them after your password. Any app for one-time codes will do."
)
RECOVERY = N_(
    "Write these ten codes down, or print them, and keep them where you find them without your phone. Each signs you in once, with your password, if the phone is lost. They are not shown again."
)
