// What the recorder says: each says what to do in one sentence.

export default {
  "recorder.no_bluetooth":
    "This browser cannot reach a strap: open this page in Chrome or Edge on Android or a computer, or in Bluefy on an iPhone.",
  "recorder.not_secure":
    "Bluetooth works only at an https address: open the https address that your computer or clinic shows.",
  "recorder.adapter_off": "Bluetooth is off: switch it on, and recording goes on by itself.",
  "recorder.permission":
    "The browser may not use Bluetooth: allow it for this page in the browser's settings, then choose the strap again.",
  "recorder.nothing_chosen":
    "No strap was chosen: see that Bluetooth is on, wet the strap where it touches your skin, put it on, and choose again.",
  "recorder.not_found":
    "{strap} is not heard: see that Bluetooth is on, wet it where it touches your skin, put it on, and end its connection to any watch or other app.",
  "recorder.no_heart_rate":
    "{strap} does not send heartbeats: choose the strap again.",
  "recorder.needs_choice":
    "After the page was loaded anew the browser wants you to choose the strap again, and recording goes on.",
  "recorder.connecting": "Connecting to {strap}: keep the phone within two metres.",
  "recorder.pulse_begins":
    "{strap} needs up to half a minute before its first beats: keep your arm still.",
  "recorder.link_lost":
    "The connection to {strap} was lost: keep the phone near, and recording goes on by itself.",
  "recorder.silent":
    "{strap} has gone silent: press it to your skin, and recording goes on by itself.",
  "recorder.no_contact": "{strap} does not feel your skin: wet it where it touches your skin and pull it tighter.",
  "recorder.no_rr":
    "{strap} sends a heart rate but no single beats: wear a chest strap, which sends them.",
  "recorder.other_tab":
    "Another tab of this browser is recording already: go on there, or close it and tap Start here.",
  "recorder.storage_full":
    "The phone has no room left: free some, as new beats are only in memory until then ({waiting} wait, keep this page open).",
  "recorder.beats_lost":
    "The phone had no room for too long and {lost} messages of the strap are lost: free some room now.",
  "recorder.storage_low":
    "There is room for about {hours} hours of recording: free some room on the phone soon.",
  "recorder.late":
    "The phone had put this page to sleep, and the beats of that time came late: keep the screen on and this page in front.",
  "recorder.late_unclear":
    "The phone had put this page to sleep, and beats of that time are missing: keep the screen on and this page in front.",
  "recorder.clock_set":
    "The phone's clock was changed: recording goes on, and there is nothing to do.",
  "recorder.off_the_clock":
    "The beats that {strap} sends do not fit the time, so they are left out for now: wet it where it touches your skin and pull it tighter.",
  "recorder.signed_out":
    "This phone was signed out: sign in again, as new beats are only in memory until then ({waiting} wait, keep this page open).",
  "recorder.offline":
    "The server cannot be reached: go on, as beats stay on this phone and are sent later.",
  "recorder.consent":
    "Beats wait on this phone until you agree that they are kept: agree under Consents on the pages.",
  "recorder.refused":
    "The server does not take some of the beats: show this to the person who runs it.",
};
