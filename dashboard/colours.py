"""Light and calm. No red: nothing here is an alarm."""

INK = "#24343b"
PAPER = "#fdfcf9"
SAND = "#f1eee6"
ACCENT = "#3f7f86"
MUTED = "#8b9699"

PAIN = "#6f6aa8"
STRESS = "#b98a2f"
PLEASANT = "#4c9a76"
HEART = "#3f7f86"
