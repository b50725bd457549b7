/** German texts, addressed with "Sie"; CONTRIBUTING.md has the words chosen. */
export default {
  "app.name": "Ebbtide",
  "app.notADevice": "Ebbtide ist kein Medizinprodukt und stellt keine Diagnose.",
  "app.needsHttps":
    "Hier ist die Adresse nicht verschlüsselt. Deshalb erlaubt ein Browser weder Aufzeichnung noch Betrieb ohne Internet. Öffnen Sie die Adresse, die mit https beginnt.",
  "app.storageFailed":
    "Dieser Browser lässt Ebbtide hier nichts speichern. Ist es ein privates Fenster?",
  "app.update": "Eine neue Version ist bereit.",
  "app.updateNow": "Jetzt verwenden",
  "app.updateComing": "Die neue Version ist unterwegs. Die App öffnet sich neu, wenn sie da ist.",
  "app.updateWaits":
    "Eine neue Version ist bereit. Sie wartet, bis die Aufzeichnung angehalten wird.",
  "app.somethingWrong":
    "Hier ist etwas schiefgegangen. Was Sie gespeichert haben, ist sicher. Öffnen Sie Ebbtide noch einmal.",
  "app.asOf": "Stand {moment}",
  "app.simulated": "Einiges davon ist simuliert.",
  "app.loading": "Einen Moment ...",

  "nav.label": "Teile der App",
  "nav.rate": "Einschätzen",
  "nav.practise": "Üben",
  "nav.record": "Gurt",
  "nav.see": "Ansehen",
  "nav.more": "Mehr",

  "state.offline": "Kein Internet. Was Sie eingeben, bleibt hier und wird später gesendet.",
  "state.waiting.one": "{number} Eintrag wartet hier auf das Senden.",
  "state.waiting.other": "{number} Einträge warten hier auf das Senden.",
  "state.consent":
    "Nichts wird gespeichert, bevor Sie zustimmen. Was Sie eingegeben haben, wartet auf diesem Handy.",
  "state.consentLink": "Lesen und entscheiden",
  "state.refused": "Einiges davon wurde nicht angenommen. Siehe Einschätzen.",
  "state.unreadable":
    "Was dieses Handy von früher hatte, lässt sich nicht mehr lesen und wurde gelöscht.",
  "state.inMemory.one":
    "{number} Nachricht vom Brustgurt von {name} wartet nur in dieser Seite. Lassen Sie sie offen, bis {name} sich hier wieder anmeldet.",
  "state.inMemory.other":
    "{number} Nachrichten vom Brustgurt von {name} warten nur in dieser Seite. Lassen Sie sie offen, bis {name} sich hier wieder anmeldet.",
  "state.recordingHeart": "Zeichnet auf · Herz {rate}",

  "scale.clear": "Weglassen",
  "scale.clearTitle": "{title}: weglassen",

  "rate.title": "Wie ist es gerade jetzt?",
  "rate.titleChange": "Eine Einschätzung ändern",
  "rate.pain": "Schmerz",
  "rate.stress": "Stress",
  "rate.ends": "0 gar nicht · 10 das Stärkste, das Sie sich vorstellen können",
  "rate.pleasant": "Etwas Angenehmes",
  "rate.pleasantEnds": "wenn Sie etwas bemerken",
  "rate.words": "Ein Wort dazu, wenn Sie mögen",
  "rate.note": "Was war gerade los?",
  "rate.pleasantNote": "Was war angenehm?",
  "rate.when": "Es geht um einen früheren Moment",
  "rate.about": "Wann war das?",
  "rate.save": "Speichern",
  "rate.choose": "Wählen Sie eine Zahl für den Schmerz und eine für den Stress.",
  "rate.chooseOne": "Wählen Sie eine Zahl.",
  "rate.summaryPain": "{moment}: Schmerz {number}",
  "rate.summaryStress": "{moment}: Stress {number}",
  "rate.andPleasant": "Angenehmes {pleasant}",
  "see.notAsked": "nicht gefragt",
  "rate.future": "Dieser Moment kommt erst noch. Wählen Sie einen, der schon war.",
  "rate.saved": "Gespeichert. Danke.",
  "rate.savedEnough": "Das ist alles. Sie müssen nicht bald wieder nachsehen.",
  "rate.summary": "{moment}: Schmerz {pain}, Stress {stress}",
  "rate.summaryPleasant": "{moment}: Schmerz {pain}, Stress {stress}, Angenehmes {pleasant}",
  "rate.change": "Ändern",
  "rate.changeOf": "Die Einschätzung von {moment} ändern",
  "rate.again": "Noch einmal einschätzen",
  "rate.today": "Heute",
  "rate.waits": "wartet auf das Senden",
  "rate.refused": "Nicht angenommen: {problem}",
  "rate.delete": "Löschen",
  "rate.deleteSure": "Diese Einschätzung löschen?",
  "rate.deleted": "Gelöscht.",
  "rate.back": "So lassen",
  "rate.cancel": "Zurück",

  "practise.title": "Eine kleine Übung",
  "practise.breathing": "Langsam atmen",
  "practise.breathingWords": "Solange es guttut.",
  "practise.tracking": "Achtsames Spüren",
  "practise.trackingWords": "Eine Empfindung mit Neugier und ohne Angst betrachten.",
  "practise.savouring": "Angenehmes bemerken",
  "practise.savouringWords": "Etwas Schönes finden und dabei bleiben.",
  "practise.offline": "Alles geht ohne Internet und mit geschlossenen Augen.",
  "practise.begin": "Beginnen",
  "practise.howLong": "Wie lange",
  "practise.minutes.one": "{number} Minute",
  "practise.minutes.other": "{number} Minuten",
  "practise.open": "Bis ich es beende",
  "practise.voice": "Eine Stimme spricht die Worte",
  "practise.noVoice":
    "Dieses Gerät hat keine eigene Stimme für Deutsch. Die Worte bleiben auf dem Bildschirm.",
  "practise.bell": "Eine Glocke",
  "practise.vibration": "Vibration",
  "practise.heart": "Mein Herz zeigen",
  "practise.heartNow": "Herz {rate} pro Minute",
  "practise.noHeart": "Gerade zeichnet kein Brustgurt auf.",
  "practise.pause": "Pause",
  "practise.goOn": "Weiter",
  "practise.paused": "Pause",
  "practise.slower": "Langsamer",
  "practise.quicker": "Schneller",
  "practise.smaller": "Kleiner",
  "practise.smallerTitle": "Kleiner: die Empfindung verlassen und mit etwas Angenehmem weitermachen",
  "practise.end": "Beenden",
  "practise.back": "Zurück",
  "practise.left": "noch {time}",
  "practise.over": "Das ist alles. Was auch geschehen ist, es war gut so.",
  "practise.kept": "Gespeichert.",
  "practise.short": "Weniger als eine halbe Minute: nicht gespeichert.",
  "practise.keep": "Speichern",
  "practise.drop": "Nicht speichern",
  "practise.done": "Fertig",

  "breathing.words":
    "Atmen Sie etwas länger aus als ein. Jedes Tempo, das leichtfällt, ist richtig.",
  "breathing.caution":
    "Hören Sie auf, wenn Ihnen schwindlig wird. Langsames Atmen macht RMSSD von selbst größer: Die Zahl sagt, wie Sie atmen, nicht, wie gut Sie es machen.",
  "breathing.pace": "Atemzüge pro Minute",
  "breathing.paceNow": "{pace} Atemzüge pro Minute",
  "breathing.in": "ein",
  "breathing.out": "aus",
  "breathing.sayIn": "Einatmen",
  "breathing.sayOut": "Und ausatmen",

  "tracking.words":
    "Eine Empfindung betrachten, mit Neugier und ohne Angst (Somatic Tracking). So kann das Gehirn merken, dass sie ungefährlich ist. Drei Schritte, mit ruhigen Worten.",
  "tracking.caution":
    "Ist der Schmerz stark, dann ist jetzt nicht die Zeit, ihn zu betrachten. Tun Sie etwas, das Ihnen guttut, und kommen Sie an einem anderen Tag wieder.",
  "tracking.before": "Vorher einschätzen (wenn Sie mögen)",
  "tracking.painBefore": "Schmerz davor",
  "tracking.stressBefore": "Stress davor",
  "tracking.painAfter": "Schmerz jetzt (wenn Sie mögen)",
  "tracking.stressAfter": "Stress jetzt (wenn Sie mögen)",
  "tracking.arriving": "Ankommen",
  "tracking.arrivingWords": [
    "Sitzen oder liegen Sie, wie Sie mögen. Jetzt muss nichts geschehen.",
    "Lassen Sie den Atem von selbst kommen. Es gibt kein Richtig oder Falsch.",
  ],
  "tracking.mindfulness": "Achtsamkeit: nur schauen",
  "tracking.mindfulnessWords": [
    "Wenden Sie sich einer Empfindung zu, wie man einen Fisch in klarem Wasser betrachtet: neugierig, ohne etwas von ihm zu wollen.",
    "Wo ist es? Ist es breit oder schmal? Warm, eng, dumpf, kribbelnd?",
    "Bleibt es, oder bewegt es sich? Sie müssen es nicht ändern.",
    "Wird es stärker, ist das interessant. Wird es schwächer, ist auch das interessant.",
  ],
  "tracking.safety": "Sicherheit: Es ist nur eine Empfindung",
  "tracking.safetyWords": [
    "Sagen Sie sich in eigenen Worten: Mein Körper ist in Ordnung. Das ist ein Signal, und es gibt nichts zu beschützen.",
    "Ein vorsichtiges Gehirn meint es gut. Jetzt darf es ausruhen.",
    "Schauen Sie noch einmal hin, wie man auf das Wetter schaut. Es ist da, und Sie sind sicher.",
  ],
  "tracking.ease": "Leichtigkeit: etwas Angenehmes",
  "tracking.easeWords": [
    "Gibt es eine Stelle im Körper, die sich neutral oder gut anfühlt? Eine Hand, die Wärme des Atems?",
    "Bleiben Sie dort eine Weile. Lassen Sie es so groß werden, wie es mag.",
    "Denken Sie vielleicht an jemanden, der Sie zum Lächeln bringt.",
  ],

  "savouring.words":
    "Nach etwas Angenehmem suchen, so klein es auch ist, und eine Weile dabei bleiben. Das Gehirn findet, wonach es sucht.",
  "savouring.caution":
    "Nichts muss sich ändern. Finden Sie heute nichts Angenehmes, ist das in Ordnung: Das Suchen genügt.",
  "savouring.around": "Um Sie herum: Gibt es etwas Angenehmes?",
  "savouring.aroundWords": [
    "Schauen Sie sich langsam um. Gibt es etwas Schönes zu sehen? Eine Farbe, etwas Licht, eine Form?",
    "Hören Sie hin. Gibt es ein freundliches Geräusch oder ein wenig Stille?",
    "Vielleicht riecht etwas gut oder fühlt sich weich an in Ihrer Hand.",
  ],
  "savouring.body": "Im Körper: Was fühlt sich gut an?",
  "savouring.bodyWords": [
    "Nun der Körper. Ist eine Stelle warm, weich oder gelöst? Sie darf so klein sein wie eine Fingerspitze.",
    "Finden Sie keine, ist das in Ordnung. Was Sie gesehen oder gehört haben, genügt.",
  ],
  "savouring.staying": "Dabei bleiben",
  "savouring.stayingWords": [
    "Wählen Sie, was Ihnen davon am besten gefällt.",
    "Bleiben Sie ein paar Atemzüge lang dabei, wie bei einem guten Geschmack. Was ist angenehm daran?",
    "Wandern die Gedanken, dann tun sie, was Gedanken eben tun. Kommen Sie zurück, wann Sie mögen.",
    "Gibt es ein Wort oder ein Bild dafür? Das dürfen Sie mitnehmen.",
  ],

  "record.title": "Aufzeichnen",
  "record.idle":
    "Feuchten Sie den Brustgurt an, wo er die Haut berührt, und legen Sie ihn an.",
  "record.consent":
    "Sagen Sie zuerst, was gespeichert werden darf. Bevor Sie zustimmen, wird kein Brustgurt gesucht und kein Herzschlag gespeichert.",
  "record.start": "Brustgurt wählen",
  "record.all": "Mein Brustgurt steht nicht in der Liste",
  "record.allWords":
    "Zeigt jedes Bluetooth-Gerät in Ihrer Nähe. Wählen Sie das mit dem Namen Ihres Brustgurts.",
  "record.stop": "Aufzeichnung anhalten",
  "record.choosing": "Wählen Sie Ihren Brustgurt im Fenster des Browsers.",
  "record.connecting": "Wird verbunden ...",
  "record.recording": "Zeichnet auf",
  "record.reconnecting": "Der Brustgurt wird wieder gesucht ...",
  "record.blocked": "Zeichnet nicht auf",
  "record.heart": "Herz",
  "record.heartUnit": "pro Minute",
  "record.noHeart": "Noch kein Herzschlag",
  "record.strap": "Brustgurt",
  "record.contact": "Auf der Haut",
  "record.contactYes": "ja",
  "record.contactNo": "nein: Feuchten Sie den Gurt an, wo er die Haut berührt",
  "record.contactUnknown": "der Gurt sagt es nicht",
  "record.battery": "Batterie",
  "record.percent": "{number} %",
  "record.waiting": "Wartet auf das Senden",
  "record.waitingNone": "nichts",
  "record.waitingSome.one": "{number} Nachricht vom Brustgurt",
  "record.waitingSome.other": "{number} Nachrichten vom Brustgurt",
  "record.room": "Platz auf diesem Handy",
  "record.roomHours.one": "etwa {number} Stunde",
  "record.roomHours.other": "etwa {number} Stunden",
  "record.roomWeeks": "für mehr als eine Woche",
  "record.screenOn":
    "Der Bildschirm bleibt an, solange aufgezeichnet wird. Ist er aus, halten Handys die Aufzeichnung an.",
  "record.evening":
    "Für die Nacht, mit dunklem Bildschirm, nehmen Sie einen Computer zum Aufzeichnen: Ein Handy hört auf, wenn sein Bildschirm aus ist.",
  "record.noBluetooth": "Dieser Browser kann keinen Brustgurt aufzeichnen",
  "record.apple":
    "Auf iPhone und iPad erreichen Safari und Chrome keinen Brustgurt. Der Browser Bluefy kann es; wir konnten ihn selbst nicht ausprobieren. Oder lassen Sie einen Computer aufzeichnen.",
  "record.firefox":
    "Firefox erreicht keinen Brustgurt. Chrome und Edge auf Android und auf Computern können es.",
  "record.other": "Chrome und Edge auf Android und auf Computern können es.",
  "record.works": "Was hier geht",
  "record.worksWords":
    "Einschätzen, üben, Ihre zwei Wochen und die Antwort ansehen: alles, auch ohne Internet.",

  "see.title": "Zwei Wochen",
  "see.today": "Heute",
  "see.todayNone": "Noch keine Einschätzung. Das ist in Ordnung.",
  "see.todaySome.one": "{number} Einschätzung: Schmerz {pain}, Stress {stress}.",
  "see.todaySome.other": "{number} Einschätzungen: im Mittel Schmerz {pain}, Stress {stress}.",
  "see.none": "Hier ist noch nichts. Nach ein paar Einschätzungen sehen Sie sie hier.",
  "see.ratings.one": "{number} Einschätzung",
  "see.ratings.other": "{number} Einschätzungen",
  "see.days.one": "{number} Tag",
  "see.days.other": "{number} Tagen",
  "see.sentence":
    "{ratings} an {days} in den letzten zwei Wochen. Schmerz: {pain}. Stress: {stress}.",
  "see.between": "zwischen {low} und {high}",
  "see.chart": "Mittelwerte jedes Tages, 0 bis 10.",
  "see.chartLabel":
    "Schmerz und Stress der letzten zwei Wochen, der Mittelwert jedes Tages. Die Zahlen stehen in der Tabelle darunter.",
  "see.table": "Die Zahlen",
  "see.day": "Tag",
  "see.count": "Einschätzungen",
  "see.painLine": "Schmerz (Punkte)",
  "see.stressLine": "Stress (Quadrate)",
  "see.answer": "Hat sich Schmerz mit Stress verändert?",
  "see.answerNone": "Die Antwort kommt, wenn es wieder Internet gibt.",
  "see.answerConsent": "Solange Sie dem Speichern nicht zugestimmt haben, wird nichts berechnet.",
  "see.more": "Mehr auf den Seiten",
  "see.moreWords": "Sie brauchen Internet, und Sie melden sich dort noch einmal an.",
  "see.linkPage": "Mein Zusammenhang",
  "see.trendPage": "Meine Kurven",
  "see.coursePage": "Mein Verlauf",
  "see.sure": "Wie sicher ist das?",

  "heart.title": "Ihr Herz",
  "heart.today": "Heute",
  "heart.on": "Am {day}",
  "heart.day":
    "{day} war Ihr Herz ruhiger als in {share} von 100 Ihrer üblichen Momente zu diesen Stunden ({low} bis {high}).",
  "heart.hours": "Stunde für Stunde",
  "heart.hour": "Stunde",
  "heart.calmer": "Ruhiger als, von 100",
  "heart.interval": "Wie sicher",
  "heart.meaning":
    "50 ist üblich. Es geht um das Herz und nicht darum, wie Sie sich fühlen. Auch Essen, Schlaf, Krankheit, Sprechen und Medikamente verändern den Wert.",
  "heart.coming":
    "Ab Ihrem dritten Tag mit dem Brustgurt steht hier, wie ruhig Ihr Herz ist, verglichen mit Ihren üblichen Werten zur selben Stunde. Tage bisher: {days}.",
  "heart.none":
    "In den letzten sieben Tagen wurde zu wenig vom Herzen aufgezeichnet, um zu sagen, wie ruhig es war.",

  "more.title": "Mehr",
  "more.signedIn": "Angemeldet als {name}",
  "more.device": "Auf der Seite Meine Geräte heißt es {name}.",
  "more.pages": "Seiten",
  "more.before": "Bevor Sie beginnen: Warnzeichen",
  "more.consents": "Was gespeichert werden darf",
  "more.emergency":
    "Schmerzen in der Brust? Atemnot? Plötzlich Kopfschmerzen wie nie zuvor? Ein Gesicht oder ein Arm hängt herab? Rufen Sie jetzt den Notruf 112 an (außerhalb Europas den Notruf dort).",
  "more.kept": "Was auf diesem Handy ist",
  "more.keptWords":
    "Einschätzungen, Übungen und Herzschläge sind auf diesem Handy verschlüsselt und werden gesendet, wenn es Internet gibt. Den Schlüssel hat der Browser, und er lässt sich nicht auslesen. Wer dieses Handy entsperren und Ebbtide öffnen kann, sieht, was Sie sehen. Nach dem Abmelden bleibt hier nichts von Ihnen.",
  "more.others":
    "Von einer Person, die hier vorher angemeldet war, sind {rated} und bis zu {recorded} noch hier, verschlossen. Sie werden gesendet, sobald diese Person sich auf diesem Handy wieder anmeldet.",
  "more.entries.one": "{number} Eintrag",
  "more.entries.other": "{number} Einträge",
  "more.notifications.one": "{number} Nachricht eines Brustgurts",
  "more.notifications.other": "{number} Nachrichten eines Brustgurts",
  "more.signOut": "Abmelden",
  "more.signOutSending": "Was wartet, wird gesendet ...",
  "more.signOutWaits": "Einiges ließ sich nicht senden",
  "more.signOutWaitsWords": "{waiting} Wenn Sie sich jetzt abmelden, ist das verloren.",
  "more.beats.one": "{number} Nachricht vom Brustgurt wartet.",
  "more.beats.other": "{number} Nachrichten vom Brustgurt warten.",
  "more.tryAgain": "Noch einmal senden",
  "more.discard": "Abmelden und löschen",
  "more.stay": "Angemeldet bleiben",
  "more.version": "Version {version}",
  "more.language": "Die Texte folgen der Sprache Ihres Browsers.",

  "signIn.title": "Anmelden",
  "signIn.words":
    "Öffnen Sie auf einem Computer die Seite Meine Geräte: Unter Mein Handy zeigt sie einen Code und ein Bild davon. Ohne Computer nehmen Sie unten E-Mail und Passwort.",
  "signIn.code": "Code",
  "signIn.withCode": "Mit dem Code anmelden",
  "signIn.orPassword": "Mit E-Mail und Passwort",
  "signIn.email": "E-Mail",
  "signIn.password": "Passwort",
  "signIn.secondFactor": "Code Ihrer App für Einmalcodes, falls Sie eine nutzen",
  "signIn.withPassword": "Mit dem Passwort anmelden",
  "signIn.running": "Wird angemeldet ...",
  "signIn.offline":
    "Kein Internet, oder der Server antwortet nicht. Versuchen Sie es gleich noch einmal.",
  "signIn.missing": "Füllen Sie aus, wonach gefragt ist.",
  "signIn.name": "Name dieses Handys",
  "signIn.nameWords": "Damit Sie es in der Liste unter Mein Handy finden.",
  "signIn.revoked":
    "Dieses Handy wurde von woanders abgemeldet, oder seine Zeit war vorbei. Was hier wartet, ist verschlossen, bis Sie sich wieder anmelden.",
  "signIn.erased": "Das Konto wurde gelöscht. Auf diesem Handy ist nichts mehr davon.",
  "signIn.signedOut": "Abgemeldet. Auf diesem Handy ist nichts mehr von Ihnen.",
  "signIn.signedOutOffline":
    "Abgemeldet. Auf diesem Handy ist nichts mehr von Ihnen. Der Server ließ sich nicht erreichen: Entfernen Sie dieses Handy auf der Seite Meine Geräte.",

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

  "recorder.no_bluetooth":
    "Dieser Browser erreicht keinen Brustgurt: Öffnen Sie diese Seite in Chrome oder Edge auf Android oder einem Computer, oder in Bluefy auf einem iPhone.",
  "recorder.not_secure":
    "Bluetooth geht nur mit einer Adresse mit https: Öffnen Sie die Adresse mit https, die Ihr Computer oder Ihre Klinik zeigt.",
  "recorder.adapter_off":
    "Bluetooth ist aus: Schalten Sie es ein, und die Aufzeichnung geht von selbst weiter.",
  "recorder.permission":
    "Der Browser darf Bluetooth nicht nutzen: Erlauben Sie es für diese Seite in den Einstellungen des Browsers, und wählen Sie den Brustgurt noch einmal.",
  "recorder.nothing_chosen":
    "Kein Brustgurt wurde gewählt: Sehen Sie nach, ob Bluetooth an ist, feuchten Sie den Gurt an, wo er die Haut berührt, legen Sie ihn an, und wählen Sie noch einmal.",
  "recorder.not_found":
    "{strap} ist nicht zu hören: Sehen Sie nach, ob Bluetooth an ist, feuchten Sie ihn an, wo er die Haut berührt, legen Sie ihn an, und trennen Sie ihn von Uhren und anderen Apps.",
  "recorder.no_heart_rate":
    "{strap} sendet keine Herzschläge: Wählen Sie den Brustgurt noch einmal.",
  "recorder.needs_choice":
    "Die Seite wurde neu geladen, und der Browser möchte, dass Sie den Brustgurt noch einmal wählen: Dann geht die Aufzeichnung weiter.",
  "recorder.connecting":
    "{strap} wird verbunden: Halten Sie das Handy näher als zwei Meter.",
  "recorder.pulse_begins":
    "{strap} braucht bis zu einer halben Minute bis zu den ersten Schlägen: Halten Sie den Arm still.",
  "recorder.link_lost":
    "Die Verbindung zu {strap} ist abgerissen: Bleiben Sie mit dem Handy in der Nähe, und die Aufzeichnung geht von selbst weiter.",
  "recorder.silent":
    "{strap} ist verstummt: Drücken Sie ihn an die Haut, und die Aufzeichnung geht von selbst weiter.",
  "recorder.no_contact":
    "{strap} fühlt Ihre Haut nicht: Feuchten Sie ihn an, wo er die Haut berührt, und ziehen Sie ihn fester.",
  "recorder.no_rr":
    "{strap} sendet eine Herzfrequenz, aber keine einzelnen Herzschläge: Tragen Sie einen Brustgurt, der sie sendet.",
  "recorder.other_tab":
    "Ein anderer Tab dieses Browsers zeichnet schon auf: Machen Sie dort weiter, oder schließen Sie ihn und wählen Sie hier den Brustgurt.",
  "recorder.storage_full":
    "Das Handy hat keinen Platz mehr: Schaffen Sie welchen, denn neue Herzschläge sind bis dahin nur im Arbeitsspeicher ({waiting} warten, lassen Sie diese Seite offen).",
  "recorder.beats_lost":
    "Das Handy hatte zu lange keinen Platz, und {lost} Nachrichten des Brustgurts sind verloren: Schaffen Sie jetzt Platz.",
  "recorder.storage_low":
    "Es ist Platz für etwa {hours} Stunden Aufzeichnung: Schaffen Sie bald Platz auf dem Handy.",
  "recorder.late":
    "Das Handy hatte diese Seite schlafen gelegt, und die Herzschläge dieser Zeit kamen spät: Lassen Sie den Bildschirm an und diese Seite vorn.",
  "recorder.late_unclear":
    "Das Handy hatte diese Seite schlafen gelegt, und Herzschläge dieser Zeit fehlen: Lassen Sie den Bildschirm an und diese Seite vorn.",
  "recorder.clock_set":
    "Die Uhr des Handys wurde umgestellt: Die Aufzeichnung geht weiter, und es gibt nichts zu tun.",
  "recorder.off_the_clock":
    "Die Herzschläge, die {strap} sendet, passen nicht zur Zeit und bleiben vorerst weg: Feuchten Sie ihn an, wo er die Haut berührt, und ziehen Sie ihn fester.",
  "recorder.signed_out":
    "Dieses Handy wurde abgemeldet: Melden Sie sich wieder an, denn neue Herzschläge sind bis dahin nur im Arbeitsspeicher ({waiting} warten, lassen Sie diese Seite offen).",
  "recorder.offline":
    "Der Server ist nicht zu erreichen: Machen Sie weiter, die Herzschläge bleiben auf diesem Handy und werden später gesendet.",
  "recorder.consent":
    "Herzschläge warten auf diesem Handy, bis Sie zustimmen, dass sie gespeichert werden: Stimmen Sie auf den Seiten unter Einwilligungen zu.",
  "recorder.refused":
    "Der Server nimmt einige der Herzschläge nicht an: Zeigen Sie das der Person, die ihn betreibt.",

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
  "reminders.apartOn": "Schmerz und Stress getrennt fragen",
  "reminders.apartWords":
    "Sie können auch getrennt gefragt werden. Eine Frage gilt nur dem Schmerz. Die andere kommt ein bis drei Stunden davor oder danach und gilt nur dem Stress. Das Los bestimmt die Reihenfolge. So kann eine Gewohnheit eines Moments nicht wie ein Zusammenhang aussehen. Eine Antwort braucht so länger.",
  "reminders.apartOnSaid": "Fertig. Es gilt ab jetzt.",
  "reminders.apartOff": "Wieder beides zugleich fragen",
  "reminders.apartOffSaid": "Ab jetzt wird wieder beides zugleich gefragt.",
  "reminders.end": "Erinnerungen beenden",
  "reminders.ended": "Beendet. Einschätzen können Sie, wann immer Sie mögen.",
  "reminders.offline":
    "Kein Internet: Erinnerungen lassen sich ändern, wenn es wieder da ist.",
  "offers.title": "Übung per Los",
  "offers.words":
    "Bei manchen Ihrer Fragen entscheidet eine Münze, ob Ebbtide Ihnen ein paar Minuten Übung anbietet. Eine halbe Stunde später fragt es noch einmal, so oder so. Nebeneinander zeigen die beiden Arten von Momenten, was eine Übung bei Ihnen bewirkt. Sie können immer üben, wann Sie mögen, „jetzt nicht“ sagen oder aufhören.",
  "offers.rules":
    "Nie nachts, rund um eine Sitzung oder in den ersten Tagen. Die Fragen kommen mit Ihren Erinnerungen, und nach jeder Antwort eine mehr.",
  "offers.proposal":
    "Aus Ihrer Therapie kommt der Vorschlag: {practices}, bei etwa {share} von hundert Momenten.",
  "offers.times": "Es fragt neben Ihren Erinnerungen auch um {times}.",
  "offers.agree": "Ich stimme dem zu",
  "offers.breathing": "Atmen",
  "offers.tracking": "achtsames Spüren",
  "offers.savouring": "Angenehmes bemerken",
  "offers.begin": "Mit Atmen beginnen",
  "offers.begun": "Fertig. Das erste Angebot kann in einigen Tagen kommen, mit Ihren Erinnerungen.",
  "offers.on": "An: {practices}, bei manchen Ihrer Fragen.",
  "offers.page": "Was die Angebote bewirkt haben, und jede Auslosung",
  "offers.stop": "Beenden",
  "offers.stopped": "Beendet. Sie können üben, wann immer Sie mögen.",
  "offers.ended":
    "Die Angebote haben von selbst aufgehört, da es mit ihnen schwerer war als ohne. Das ist gut zu wissen, und niemand ist schuld.",
  "offers.offline": "Kein Internet: Das lässt sich ändern, wenn es wieder da ist.",
  "offers.ask.breathing": "Passen jetzt ein paar Minuten langsames Atmen?",
  "offers.ask.tracking": "Passen jetzt ein paar Minuten achtsames Spüren?",
  "offers.ask.savouring": "Passen jetzt ein paar Minuten, um Angenehmes zu bemerken?",
  "offers.yes": "Ja",
  "offers.notNow": "Jetzt nicht",
  "messages.title": "Aus Ihrer Therapie",
  "messages.from": "{author} schrieb, {when}:",
  "messages.seen": "Ich habe es gelesen",
  "messages.notice":
    "Hier können Sie nicht antworten, und niemand schaut laufend auf diese Seite. Wenn etwas dringend ist, rufen Sie an: Über die Nachrichten kommt keine Hilfe.",
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
