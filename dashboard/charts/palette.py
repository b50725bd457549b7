"""Light and calm, by day and by night. No red: nothing here is urgent."""

INK = "#24343b"
PAPER = "#fdfcf9"
SAND = "#f1eee6"
ACCENT = "#3f7f86"
ACCENT_BY_DAY, QUIET_INK = "#2f6b72", "#51606a"  # with contrast enough for small words
MUTED = "#8b9699"
NIGHT, DUSK, MOON, ACCENT_AT_NIGHT = "#1b2428", "#263238", "#e6eceb", "#7cc0c6"

PAIN = "#6f6aa8"
STRESS = "#b98a2f"
PLEASANT = "#4c9a76"
HEART = "#3f7f86"
