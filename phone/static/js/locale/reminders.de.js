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
  "offers.title": "Übung per Los",
  "offers.words":
    "Bei manchen Ihrer Fragen entscheidet der Zufall wie bei einer Münze, ob Ebbtide Ihnen ein paar Minuten Übung anbietet. Eine halbe Stunde später fragt es noch einmal, so oder so. Der Vergleich zeigt, was eine Übung bei Ihnen bewirkt. Das kann hier sonst nichts zeigen. Daneben können Sie üben, wann Sie mögen, „jetzt nicht“ sagen und jederzeit aufhören.",
  "offers.begin": "Beginnen",
  "offers.begun": "Fertig. Das erste Angebot kann in drei Tagen kommen, mit Ihren Erinnerungen.",
  "offers.on":
    "An: Bei manchen Ihrer Fragen wird langsames Atmen oder eine andere Übung angeboten. Was das bewirkt hat, steht auf den Seiten von Ebbtide.",
  "offers.stop": "Beenden",
  "offers.stopped": "Beendet. Sie können üben, wann immer Sie mögen.",
  "offers.ended":
    "Die Angebote haben von selbst aufgehört, da es mit ihnen schwerer war als ohne. Das ist gut zu wissen, und niemand ist schuld.",
  "offers.offline": "Kein Internet: Das lässt sich ändern, wenn es wieder da ist.",
  "offers.ask.breathing": "Passen jetzt ein paar Minuten langsames Atmen?",
  "offers.ask.tracking": "Passen jetzt ein paar Minuten achtsames Spüren?",
  "offers.yes": "Ja",
  "offers.notNow": "Jetzt nicht",
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
