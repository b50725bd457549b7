// The questionnaires of the programme. The questions themselves come from the server.

export default {
  "questions.title": "Questions",
  "questions.open.one":
    "{number} question of the programme is open, about {minutes} min. It can wait.",
  "questions.open.other":
    "{number} questions of the programme are open, about {minutes} min. They can wait.",
  "questions.begin": "Answer a few questions",
  "questions.none": "Nothing is open now. Questions come with the steps of the programme.",
  "questions.offline": "The questions are not on this phone yet. They come when there is internet.",
  "questions.place": "{name}: question {number} of {total}",
  "questions.next": "Next",
  "questions.leaveOut": "Leave out",
  "questions.back": "Back",
  "questions.save": "Save",
  "questions.until": "Open until {day}. What you leave out stays empty.",
  "questions.saved": "Saved. Thank you.",
  "questions.waits": "It waits here, and is sent when there is internet.",
  "questions.on": "Go on",
  "questions.refused": "These answers were not taken: {problem}",
  "questions.discard": "Let them go",
  "questions.help": "Help now",
};
