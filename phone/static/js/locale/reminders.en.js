// What reminders say.

export default {
  "reminders.title": "Reminders",
  "reminders.words":
    "You can be asked at random moments of the day how it is. That tells more than ratings on hard days alone.",
  "reminders.begin": "Remind me",
  "reminders.begun.push": "Done. A notification will ask you. It says nothing of pain.",
  "reminders.begun.page":
    "Done. This browser shows no notifications while Ebbtide is closed: the question waits here.",
  "reminders.begun.denied":
    "Done. This browser was not allowed to show notifications, so the question waits here.",
  "reminders.on": "On: {number} at random moments of the day, never at night.",
  "reminders.notToday": "Not today",
  "reminders.notTodaySaid": "No more today. It goes on tomorrow.",
  "reminders.goOn": "Go on today",
  "reminders.goOnSaid": "It goes on.",
  "reminders.heartOn": "Also ask when my heart is fast",
  "reminders.heartOnSaid":
    "While you wear the strap, at most two more a day come when your heart is faster than usual, or calm after a practice. The answer leaves these out.",
  "reminders.heartOff": "Not by my heart",
  "reminders.heartOffSaid": "No more of these.",
  "reminders.apartOn": "Ask pain and stress at different moments",
  "reminders.apartOnSaid":
    "One question asks for pain alone. The other, one to three hours before or after, asks for stress alone. A draw decides which comes first. So a habit of one moment cannot look like a connection. An answer takes longer that way.",
  "reminders.apartOff": "Ask both at one moment again",
  "reminders.apartOffSaid": "From now on both are asked at one moment again.",
  "reminders.end": "End reminders",
  "reminders.ended": "Ended. You can rate whenever you like.",
  "reminders.offline": "No internet: reminders can be changed when it is back.",
  "offers.title": "Practice by lot",
  "offers.words":
    "At some of your questions a coin decides if Ebbtide offers you a few minutes of practice, and half an hour later it asks again, either way. Side by side, the two kinds of moments show what a practice does for you. You can always practise when you like, say not now, or stop.",
  "offers.rules": "Never at night, near a meeting or in the first days. The questions come with your reminders, with one more after each answer.",
  "offers.proposal": "Your therapist proposes: {practices}, at about {share} of a hundred moments.",
  "offers.times": "It asks besides your reminders, at {times}.",
  "offers.agree": "I agree to that",
  "offers.breathing": "breathing",
  "offers.tracking": "somatic tracking",
  "offers.savouring": "noticing something pleasant",
  "offers.begin": "Begin with breathing",
  "offers.begun": "Done. The first offer can come in some days, with your reminders.",
  "offers.on": "On: {practices}, at some of your questions.",
  "offers.page": "What offers did, and every draw",
  "offers.stop": "Stop",
  "offers.stopped": "Stopped. You can practise whenever you like.",
  "offers.ended":
    "Offers have ended by themselves, since things were worse after them than without. That is good to know, and nobody's fault.",
  "offers.offline": "No internet: this can be changed when it is back.",
  "offers.ask.breathing": "Would a few minutes of breathing suit now?",
  "offers.ask.tracking": "Would a few minutes of somatic tracking suit now?",
  "offers.ask.savouring": "Would a few minutes of noticing something pleasant suit now?",
  "offers.yes": "Yes",
  "offers.notNow": "Not now",
  "messages.title": "From your therapist",
  "messages.from": "{author} wrote, {when}:",
  "messages.seen": "I have read it",
  "messages.notice":
    "You cannot answer here, and nobody watches this page. For anything urgent, call: the messages are no way to get help.",
  "answer.title": "How is it right now?",
  "answer.over":
    "This link was used already, or its time is over. That is fine: the next one will come, and you can rate at any time after signing in.",
  "answer.saved": "Saved. Thank you. You can close this page.",
  "answer.later": "A little later",
  "answer.laterSaid": "It will come again in a few minutes. You can close this page.",
  "answer.letGo": "Not this time",
  "answer.letGoSaid": "That is fine. You can close this page.",
  "answer.failed": "No internet just now. Please try again.",
};
