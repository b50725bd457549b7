"""Problems of signing in and of rights, for the catalogue."""

from __future__ import annotations

from ebbtide.i18n import N_

# Of signing in and accounts.
SIGNING_IN = (
    N_("The address or the password is not right."),
    N_(
        "This code is not right, or was used already. Wait for the next one; a recovery code is "
        "good once."
    ),
    N_("is not your password."),
    N_("is not the address of this account."),
    N_("You cannot erase your own account here."),
    N_("The password is easily guessed. Use a phrase of several words that do not belong."),
    N_("The password is too short, or very long. Use {least} to {most} characters."),
    N_("'{which}' is not an e-mail address. Give one like ada@example.org."),
    N_("{which} has an account already. Let them sign in."),
    N_("{which} has an account already. Sign in, or use another address."),
    N_("The name is empty or too long. Use 1 to 200 characters."),
    N_("This invitation was used already, or its time is over."),
    N_("This link was used already, or its time is over."),
    N_("This link was used already, or its time is over. Ratings can be entered after signing in."),
    N_("This code was used already, or its time is over."),
    N_("This code was used already, or its five minutes are over. Make a new one on the computer."),
    N_("This code is not right, was used already, or its five minutes are over. Make a new one."),
    N_("This was used already, or its time is over. Start Ebbtide again: ebbtide start."),
    N_("is not the code that the app shows now. Check the clock of the phone, or begin anew."),
    N_(
        "Too many wrong passwords for this address. Try again in {wait}, or set a new password: "
        "by mail, or with a code of your therapist or administrator."
    ),
    N_("Too many wrong codes. Try again in {wait}, or sign in with your passkey if you have one."),
    N_(
        "Too many codes that were not right. Try again in {wait}, with a new code of the page "
        "My devices."
    ),
    N_("{minutes} minutes"),
    N_("{seconds} s"),
    N_("This Ebbtide sends no mail: ask your therapist or administrator for a code."),
    N_("The mail could not be sent. Try again later."),
    N_("Sign in with your clinic's sign-in: passwords are not taken here."),
    N_("Sign in with your clinic's sign-in: passkeys are not taken here."),
    N_("You sign in with your clinic's sign-in, and with nothing here."),
    N_("You may not sign in here any more."),
    N_("The password was changed meanwhile. Sign in again."),
    N_("Too many passwords are being checked at once. Try again in a moment."),
    N_("For this, give your password once more."),
    N_("It is the last one, and staff need one here: add another first."),
    N_("It is the last one, and staff need one here: add a passkey first."),
    N_("Sign in first (POST /v1/sign-in)."),
    N_(
        "Sign in again, with your passkey or a code of your app: here staff need more than a "
        "password."
    ),
    N_(
        "First set up a passkey or codes of an app (page Signing in): here staff need more than "
        "a password."
    ),
    N_("Sign in again, with your passkey or a code of your app, to change this."),
    N_("Now the six digits that your app shows, or one of your recovery codes."),
    N_("Sign in with your passkey, or give one of your recovery codes."),
    N_("Sign in with your passkey: here staff need more than a password."),
    N_("There is no app."),
    N_("Recovery codes stand in for a passkey or an app: add one first."),
    N_("This passkey was not accepted. Try again, or sign in with your password."),
    N_("This passkey is here already, or there are {most}: remove one first."),
    N_("That took too long, or was used already. Try once more."),
    N_("There is no such passkey of yours."),
    N_(
        "A passkey needs a name in the address, and not numbers. Open these pages at localhost, "
        "or at the name of your clinic."
    ),
    N_(
        "Passkeys are taken only at the address of the pages that EBBTIDE_DASHBOARD_URL names. "
        "Open the pages there, or have whoever runs Ebbtide set it."
    ),
    N_("This Ebbtide has no OpenID Connect provider: sign in here."),
    N_("The clinic's sign-in does not answer as it should ({what}). Try again later."),
    N_("The clinic's sign-in could not prove who you are ({what})."),
    N_("This sign-in took too long, or was used already. Begin again."),
    N_("This sign-in began in another browser. Begin again."),
    N_("The clinic's sign-in said no ({what})."),
    N_("without a reason"),
    N_("The clinic's sign-in did not give a verified address."),
    N_("There is no account with your address here. Ask to be invited."),
    N_("An address and a password belong together: send both or none."),
    N_("This phone is signed out. Sign in again."),
    N_("The app on a phone does not need that: it is for the pages."),
    N_("The app is for patients: it records and rates. Use the pages in a browser."),
    N_("There is no such phone of yours."),
    N_("This request does not come from the app on a phone."),
    N_(
        "The app is signed in on {most} phones or browsers of yours already, and no more are "
        "possible. Open My devices on the pages, remove one that you no longer use, and sign in "
        "again; a code has to be a new one."
    ),
    N_("'{zone}' is not a time zone. Use a name such as Europe/Berlin or America/Denver."),
)

# Of what is allowed, and to whom.
RIGHTS = (
    N_("This token is not for that: it would need the scope {what}."),
    N_("a script cannot have the scope account."),
    N_("There is no such token of yours."),
    N_("No patient with this id is in your care."),
    N_("This patient has not agreed that you see their data, or has taken it back."),
    N_(
        "Consent to keeping was taken back, or is over: nothing is computed any more. What was "
        "entered and recorded can be downloaded until it is erased (My data)."
    ),
    N_("Nothing is stored before you agree that Ebbtide keeps it. {where}"),
    N_("Nothing is stored before the patient agrees that Ebbtide keeps it. {where}"),
    N_("Consent to keeping was taken back, so nothing is stored. {where}"),
    N_("The time that keeping was agreed to is over, so nothing is stored. {where}"),
    N_("Consent to keeping changed just now, so nothing was stored. {where}"),
    N_("Consent to keeping is missing, was taken back or is over, so nothing was stored. {where}"),
    N_("the patient does not share it now"),
    N_("the time asked for is over"),
    N_("is over already; leave it out, or name a later day."),
    N_("only what is given can end."),
    N_("This is for {role}s only."),
    N_("This is for the machine itself that runs Ebbtide."),
    N_("This is for a computer of one's own: ebbtide start."),
    N_("This is for the person who set Ebbtide up here."),
    N_("This computer is closed to phones: PUT /v1/computer/home first."),
    N_("Only a patient's beats are recorded."),
    N_(
        "This service does not record. The computer that the strap is near does: ebbtide start "
        "there, or ebbtide pair and ebbtide record."
    ),
    N_("Therapists and administrators invite people."),
    N_("Therapists invite patients."),
    N_("You cannot shut yourself out."),
    N_("You cannot change your own role."),
    N_("nobody becomes a patient, or ceases to be one."),
    N_("There is no {what} {id}."),
    N_("You are not asked about this therapist."),
    N_("You are not in the care of this therapist."),
    N_("It could not be noted in the ledger. Nothing was erased: tell who runs this."),
    N_("Everything of this person was erased. Stop the recorder, and sign out."),
    N_("Everything of this person was erased. This phone holds nothing any more."),
    N_("Nobody in the cohort is called {name}."),
    N_(
        "Fewer than {least} people agree to research: of so few nothing is given, since one "
        "could be recognised."
    ),
    N_(
        "Name at least {least} people, or leave out `person`: of fewer nothing is given, since "
        "one could be recognised."
    ),
    N_("Agree on the page Consents, or with POST /v1/consents."),
    N_("They can agree on the page Consents, or with POST /v1/consents."),
    N_("The person can agree on the page Consents (or POST /v1/consents)."),
    N_("Consent was taken back while this was made. Ask again for the rest."),
)
