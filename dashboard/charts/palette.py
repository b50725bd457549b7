"""Colours of the light and the dark theme, and of the series in charts.

No red: nothing on these pages is urgent.
"""

LIGHT_TEXT = "#24343b"
LIGHT_BACKGROUND = "#fdfcf9"
LIGHT_SECONDARY_BACKGROUND = "#f1eee6"
# Contrast above 4.5:1 on the background, for small text (WCAG 1.4.3).
LIGHT_ACCENT, LIGHT_MUTED_TEXT = "#2f6b72", "#51606a"
DARK_TEXT = "#e6eceb"
DARK_BACKGROUND = "#1b2428"
DARK_SECONDARY_BACKGROUND = "#263238"
DARK_ACCENT = "#7cc0c6"

ACCENT = "#3f7f86"
MUTED = "#8b9699"
PAIN = "#6f6aa8"
STRESS = "#b98a2f"
PLEASANT = "#4c9a76"
HEART = "#3f7f86"
