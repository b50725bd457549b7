"""Problems of what is sent, for the catalogue."""

from __future__ import annotations

from ebbtide.i18n import N_

# Of what people and apps send.
WHAT_IS_SENT = (
    N_(
        "This store has no queue of jobs: there is one on PostgreSQL alone. Run the job in this "
        "process: ebbtide jobs --start nightly."
    ),
    N_("{task} is no job that can be started. Use one of {names}."),
    N_("The analysis did not go well ({kind}). ebbtide nightly says more of it."),
    N_(
        "The analysis of {failed} of {people} people failed. ebbtide nightly says of whom, and why."
    ),
    N_("lies in the future: a rating is about a moment that was."),
    N_("lies in the future: send it when it is over."),
    N_("lies in the future: declare it when it is there."),
    N_("lies in the future."),
    N_("has no words."),
    N_("is empty."),
    N_("is needed where stress is not given."),
    N_("is asked for by this prompt."),
    N_("This id is in use."),
    N_("This id is in use: take another."),
    N_("There is no such note of yours."),
    N_("There is no rating {id}."),
    N_("There is no offer {id}."),
    N_("There is no prompt {id}."),
    N_("There are no answers {id}."),
    N_("There is no stream {id}. GET /v1/streams lists yours."),
    N_("There are no reminders yet."),
    N_("There is no such browser of yours."),
    N_("There is no calendar at this address any more."),
    N_("This service can send no mail."),
    N_("is at no push service that this service posts to (EBBTIDE_PUSH_SERVICES)."),
    N_("are no keys of a browser."),
    N_("must come after start, within three hours."),
    N_("There is no reading of this name; there are {names}."),
    N_("waits until a clinician has ruled out a physical cause. Ratings and strap may be used."),
    N_("is none of {names}."),
    N_("The file of this version of the questionnaire is not here any more."),
    N_("There is no questionnaire {name}, only {names}. Correct EBBTIDE_QUESTIONNAIRES_ASKED."),
    N_("A recording of a file cannot end in the future. Check its start, and this clock."),
    N_("There are {most} such days already: remove one that no longer counts."),
    N_("There are {most} messages already: remove one that no longer counts."),
    N_("There is no such message of yours."),
    N_("There is no such message to you."),
    N_("There is no night of this source."),
    N_("There is no night that ends on this day."),
    N_("must be three to 24 hours after start: a shorter sleep is a nap."),
    N_("must be the date of end, by its clock."),
    N_("must be in order of time, each once, within a day."),
    N_("must be printable."),
    N_("must not be before first."),
    N_("The baseline does not begin anew on that day."),
    N_("The text has changed since: read it again, and then agree."),
    N_("Choose one practice or more, each once, of: {names}."),
    N_(
        "The probability of an offer is from {least} to {most}: outside of that one of the two "
        "would be too rare to compare."
    ),
    N_("The rating after comes {least} to {most} minutes."),
    N_("Days without offers: from {least} to {most}."),
    N_("The hours lie between 07:00 and {end}, so that the rating after comes before 22:00."),
    N_("At most {most} times a day of its own, each from {start} to {end}, the hours of offers."),
    N_(
        "Times of its own are at least {least} minutes apart, so that the rating after one comes "
        "before the next."
    ),
    N_(
        "At {near} you are asked already, less than an hour from {time}. That is a moment for an "
        "offer, too: leave the other one out."
    ),
    N_(
        "{time} lies outside of the hours of your reminders on every day. Choose another time, or "
        "longer hours."
    ),
    N_("With your reminders that is more than {most} questions a day. Choose fewer."),
    N_(
        "These times leave too little room for your reminders at random times. Choose fewer of one "
        "or the other."
    ),
    N_(
        "A practice can be offered once a clinician has ruled out a physical cause: see Before "
        "you begin."
    ),
    N_(
        "Turn reminders on first, with one a day at least: a practice is offered by lot when "
        "one of them is answered."
    ),
    N_("Offers were stopped at the same moment. Try again."),
    N_("This proposal is not there any more. Look at the page again."),
    N_("This proposal was agreed to and has ended."),
    N_(
        "The rating after came {minutes} minutes later so far: it stays so, since moments are "
        "compared with each other."
    ),
    N_(
        "Offers had ended because things were worse after them. Talk it over with your "
        "therapist, who can propose others."
    ),
    N_(
        "There were {count} plans and proposals already. A proposal that is there can be "
        "agreed to; there are no new ones."
    ),
    N_(
        "has nights of your own recordings, which would be found again. Remove the recording; "
        "its nights go with it."
    ),
    N_("is that of nights that Ebbtide finds in the person's recordings; they are not sent."),
    N_(
        "would be of {count} sources; a person has at most {most}. Remove the nights of a "
        "source that is not used any more, then send these again."
    ),
    N_(
        "would be more than {most} nights. Remove those of a source that is not used any more, "
        "then send these again."
    ),
    N_(
        "Beats of stream {id} are not later than those before them. Times must increase with "
        "the sequence numbers of a stream; begin a new stream."
    ),
    N_(
        "Answers {id} version {version} do not follow what is kept. Read them again and correct "
        "their newest version, or use a new id."
    ),
    N_(
        "The notes of session {number} have version {version} by now. Read them again, and send "
        "the version that you saw."
    ),
    N_(
        "Session {number} has version {version} by now. Read it again, and send the version "
        "that you saw."
    ),
    N_(
        "Rating {id} version {version} does not follow what is kept. Read the rating again and "
        "correct its newest version, or use a new id."
    ),
)

# Of requests, whatever they are about.
REQUESTS = (
    N_("Something went wrong here, not with your request. Try again later."),
    N_("A store does not answer, or has no room. Nothing was lost; try again."),
    N_("The store of {name} does not answer."),
    N_("A number or a time is beyond what can be stored."),
    N_("More than {most} requests in a minute. Wait {wait} s."),
    N_("Too many computations wait already. Try again in a few seconds."),
    N_("You watch {most} live streams already: end one of them."),
    N_("It was stopped: the client went away."),
    N_("It was stopped after {seconds} s. Ask for a shorter range."),
    N_("The process of a computation ended. Try again in a few seconds."),
    N_("That takes more memory than a computation may use. Ask for a shorter range."),
    N_(
        "That is {n} windows, which would take about {seconds} s of computing; {most} s are "
        "allowed. {advice}"
    ),
    N_("Ask for at most {days} days at a time; GET /v1/hrv/trend takes more."),
    N_("Ask for at most {days} days at a time."),
    N_("Ask for at most {days} days of activity at a time."),
    N_("More than 100,000 gaps: ask for a shorter range."),
    N_("step_s must be at least 1."),
    N_("More than {most} windows: use a longer step_s or a shorter range."),
    N_("More than {most} stretches: use a longer bucket_s."),
    N_("must be after start."),
    N_("must lie between the years {first} and {last}."),
    N_("needs a zone, for example 2026-11-24T08:30:00Z or ...T09:30:00+01:00."),
    N_("times of research are local, without a zone, for example {example}."),
    N_("is no parameter of this table: it takes {names}."),
    N_(
        "the link is that of all that is released of a person: leave out start and end. Of a "
        "range, its number of ratings would tell their times."
    ),
    N_("is not one that this API gave to this account: take `until` of an earlier answer."),
    N_("is not one that this API gave."),
    N_(
        "is of another list: a cursor goes on with the query that gave it, which only `limit` "
        "may differ from."
    ),
    N_("subject is given twice: what is sent is of one person."),
    N_("Accept one of {names}, or use ?format=."),
    N_("This export has changed since: get it anew."),
    N_("The export has {size} bytes."),
    N_("The export made room for others."),
    N_("Pages have weak tags: If-Match never meets them."),
    N_("Tags of this resource are weak, and If-Match never meets them."),
    N_("The query is longer than {most} KiB."),
    N_("The body did not come within {seconds} s."),
    N_("{header} was used for another request: take a new one."),
    N_("The first request with this key is still under way."),
    N_("This was done already. Its answer held a secret, which is told only once."),
    N_("{header} has 1 to {most} characters."),
    N_("The files of the app are read only."),
    N_("The app has no such file."),
    N_("Content-Encoding {coding} is not taken: send the body as it is."),
    N_("The request has {n} Host headers: send exactly one (RFC 9112, 3.2)."),
    N_("The address is longer than {most} KiB: ask in parts."),
    N_(
        "{header} is not evaluated on a write: send the `version` that you saw, in the body or "
        "the query."
    ),
    N_("holds a NUL character or half of a surrogate pair, which are not text."),
    N_("The body is larger than {size}: send it in parts."),
    N_("Ask for {advice}."),
    N_("at most {days} day at a time"),
    N_("at most {days} days at a time"),
    N_("a step_s of at least {seconds}"),
    N_("domain=time alone"),
    N_("a shorter range with a shorter window_s and a longer step_s"),
    N_("It has more than {most} fields and items: send it in parts."),
    N_("It has more than {most} objects and arrays: send it in parts."),
    N_("It is nested more than {most} levels deep."),
    N_(
        "more than {most} beats within {seconds} s, from {time}: no heart beats {often} times a "
        "minute. Check the unit of the intervals and the clock that gives beat_times_ns."
    ),
    N_("{what}: send application/json."),
    N_("The body has no Content-Type"),
    N_("Content-Type {kind} is not taken"),
    N_("account"),
)

# Pydantic's, of single fields.
FIELDS = (
    N_("Field required"),
    N_("Extra inputs are not permitted"),
    N_("Input should be a valid integer"),
    N_("Input should be a valid integer, {why}"),
    N_("Input should be a valid number"),
    N_("Input should be a valid number, {why}"),
    N_("Input should be a finite number"),
    N_("Input should be a valid string"),
    N_("Input should be a valid boolean"),
    N_("Input should be a valid boolean, {why}"),
    N_("Input should be a valid list"),
    N_("Input should be a valid dictionary"),
    N_("Input should be a valid dictionary or object to extract fields from"),
    N_("Input should be greater than or equal to {least}"),
    N_("Input should be less than or equal to {most}"),
    N_("Input should be greater than {least}"),
    N_("Input should be less than {most}"),
    N_("String should have at least {least} character"),
    N_("String should have at least {least} characters"),
    N_("String should have at most {most} character"),
    N_("String should have at most {most} characters"),
    N_("String should match pattern '{pattern}'"),
    N_("List should have at least {least} item after validation, not {n}"),
    N_("List should have at least {least} items after validation, not {n}"),
    N_("List should have at most {most} item after validation, not {n}"),
    N_("List should have at most {most} items after validation, not {n}"),
    N_("Input should be a valid datetime or date, {why}"),
    N_("Input should be a valid datetime, {why}"),
    N_("Input should be a valid date, {why}"),
    N_("Input should be a valid UUID, {why}"),
    N_("Input should have timezone info"),
    N_("Input should be {names}"),
    N_("JSON decode error"),
    N_("Value error, {why}"),
    N_("Send a code, or email and password"),
)

# By status: the phrases of ``http.HTTPStatus`` differ between versions of Python.
TITLES = {
    400: N_("Bad Request"),
    401: N_("Unauthorized"),
    403: N_("Forbidden"),
    404: N_("Not Found"),
    405: N_("Method Not Allowed"),
    406: N_("Not Acceptable"),
    408: N_("Request Timeout"),
    409: N_("Conflict"),
    410: N_("Gone"),
    412: N_("Precondition Failed"),
    413: N_("Content Too Large"),
    414: N_("URI Too Long"),
    415: N_("Unsupported Media Type"),
    416: N_("Range Not Satisfiable"),
    422: N_("Unprocessable Content"),
    429: N_("Too Many Requests"),
    500: N_("Internal Server Error"),
    503: N_("Service Unavailable"),
}
