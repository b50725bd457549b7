// The questionnaires of the programme. The questions themselves come from the server.

export default {
  "questions.title": "Fragen",
  "questions.open.one":
    "{number} Frage des Programms ist offen, etwa {minutes} min. Sie kann warten.",
  "questions.open.other":
    "{number} Fragen des Programms sind offen, etwa {minutes} min. Sie können warten.",
  "questions.begin": "Einige Fragen beantworten",
  "questions.none": "Gerade ist nichts offen. Fragen kommen mit den Schritten des Programms.",
  "questions.offline":
    "Die Fragen sind noch nicht auf diesem Handy. Sie kommen, wenn es Internet gibt.",
  "questions.place": "{name}: Frage {number} von {total}",
  "questions.next": "Weiter",
  "questions.leaveOut": "Weglassen",
  "questions.back": "Zurück",
  "questions.save": "Speichern",
  "questions.until": "Offen bis {day}. Was Sie auslassen, bleibt leer.",
  "questions.saved": "Gespeichert. Danke.",
  "questions.waits": "Es wartet hier und wird gesendet, wenn es Internet gibt.",
  "questions.on": "Weiter",
  "questions.refused": "Diese Antworten wurden nicht angenommen: {problem}",
  "questions.discard": "Verwerfen",
  "questions.help": "Jetzt Hilfe",
};
