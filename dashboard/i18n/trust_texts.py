"""Texts of the page that leads a phone through trusting the computer at home, for translation.
``**`` encloses what is to be tapped or entered.
"""

from __future__ import annotations

from dashboard.i18n.language import N_

TITLE = N_("Let this phone trust your computer")
INTRODUCTION = (
    N_("You do this once. It takes about five minutes. After that the app can record."),
    N_(
        "Why: your computer has made a certificate of its own. With it, this phone knows your "
        "computer again, and nobody in between can read along."
    ),
    N_(
        "If your clinic has an Ebbtide, use that: there is nothing to install, and it is less work."
    ),
)
GET = N_("Get the certificate")
ANDROID, IPHONE = N_("On an Android phone"), N_("On an iPhone")
# What to do; then what the phone shows: a title, and what is to be tapped.
ANDROID_STEPS = (
    (
        N_("Tap **Get the certificate** above. The phone saves a file."),
        N_("Download"),
        "ebbtide-at-home.crt",
    ),
    (
        N_(
            "Open **Settings**. Search there for **CA certificate**, and tap what it finds. "
            "Without a search: Security, Encryption and credentials, Install a certificate."
        ),
        N_("Settings"),
        N_("CA certificate"),
    ),
    (
        N_(
            "The phone warns that somebody could read along. This certificate is good for "
            "computers in your home alone, and its key stays on your computer. Tap **Install "
            "anyway**, enter the phone's PIN, and choose the file."
        ),
        N_("Your data won't be private"),
        N_("Install anyway"),
    ),
)
IPHONE_STEPS = (
    (
        N_("Open this page in **Safari**. Tap **Get the certificate** above, then **Allow**."),
        "Safari",
        N_("Allow"),
    ),
    (
        N_("Open **Settings**. Near the top tap **Profile Downloaded**, then **Install**."),
        N_("Settings"),
        N_("Profile Downloaded"),
    ),
    (
        N_(
            "In Settings tap **General**, then **About**. At the very bottom tap **Certificate "
            "Trust Settings**, and switch on **Ebbtide at home**."
        ),
        N_("Certificate Trust Settings"),
        N_("Ebbtide at home"),
    ),
)
COMPARE = N_("Compare")
COMPARE_WORDS = (
    N_(
        "Your computer shows the characters below on its page **This computer**. Your phone shows "
        "them too. If they are the same, all is well."
    ),
    N_(
        "Where the phone shows them: on Android under Settings, Trusted credentials, User; on an "
        "iPhone in the profile under More Details, SHA-256."
    ),
    N_(
        "If they are not the same, remove the certificate again and do not go on: it was not your "
        "computer that answered."
    ),
)
DONE = N_("Done: open the app")
TAKE_BACK = N_("To undo this later, remove **Ebbtide at home** in the same place of the settings.")
