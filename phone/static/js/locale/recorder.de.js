// What the recorder says: each says what to do in one sentence.

export default {
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
};
