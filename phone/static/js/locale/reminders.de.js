// What reminders say.

export default {
  "reminders.title": "Erinnerungen",
  "reminders.words":
    "Sie können zu zufälligen Zeiten am Tag gefragt werden, wie es ist. Das sagt mehr als Einschätzungen nur an schweren Tagen.",
  "reminders.begin": "Mich erinnern",
  "reminders.begun.push":
    "Fertig. Eine Mitteilung wird Sie fragen. Sie sagt nichts von Schmerz.",
  "reminders.begun.page":
    "Fertig. Dieser Browser zeigt keine Mitteilungen, solange Ebbtide geschlossen ist: Die Frage wartet hier.",
  "reminders.begun.denied":
    "Fertig. Dieser Browser darf keine Mitteilungen zeigen, deshalb wartet die Frage hier.",
  "reminders.on": "An: {number} zu zufälligen Zeiten am Tag, nie nachts.",
  "reminders.notToday": "Heute nicht",
  "reminders.notTodaySaid": "Heute keine mehr. Morgen geht es weiter.",
  "reminders.goOn": "Heute weitermachen",
  "reminders.goOnSaid": "Es geht weiter.",
  "reminders.heartOn": "Auch fragen, wenn mein Herz schnell ist",
  "reminders.heartOnSaid":
    "Während Sie den Brustgurt tragen, kommen höchstens zwei weitere am Tag, wenn Ihr Herz schneller ist als sonst oder ruhig nach einer Übung. Die Antwort lässt diese weg.",
  "reminders.heartOff": "Nicht nach meinem Herz",
  "reminders.heartOffSaid": "Davon keine mehr.",
  "reminders.end": "Erinnerungen beenden",
  "reminders.ended": "Beendet. Einschätzen können Sie, wann immer Sie mögen.",
  "reminders.offline":
    "Kein Internet: Erinnerungen lassen sich ändern, wenn es wieder da ist.",
  "answer.title": "Wie ist es gerade jetzt?",
  "answer.over":
    "Dieser Link wurde schon benutzt, oder seine Zeit ist vorbei. Das ist in Ordnung: Der nächste kommt, und nach dem Anmelden können Sie jederzeit einschätzen.",
  "answer.saved": "Gespeichert. Danke. Sie können diese Seite schließen.",
  "answer.later": "Etwas später",
  "answer.laterSaid": "Die Frage kommt in ein paar Minuten wieder. Sie können diese Seite schließen.",
  "answer.letGo": "Diesmal nicht",
  "answer.letGoSaid": "Das ist in Ordnung. Sie können diese Seite schließen.",
  "answer.failed": "Gerade kein Internet. Bitte versuchen Sie es noch einmal.",
};
