"""The page before a session: what happened since the last one, in words a therapist reads in two
minutes; on the screen, and as one page of PDF.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fpdf import FPDF

from dashboard.signed import signed

CAVEAT = (
    "Not a diagnosis, and no statement of cause: what moved together, and what came before. "
    "Ratings are the patient's own."
)


@dataclass
class BeforeSession:
    """Lines under headings."""

    name: str
    made: datetime
    simulated: bool
    parts: dict[str, list[str]] = field(default_factory=dict)


def before_session(
    patient: dict[str, Any],
    therapy: dict[str, Any],
    link: dict[str, Any],
    sessions: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    notes: list[dict[str, Any]],
    session_notes: list[dict[str, Any]],
    ratings: list[dict[str, Any]],
    now: datetime,
) -> BeforeSession:
    """What there is to say."""
    held = [s for s in sessions if datetime.fromisoformat(s["held"]) <= now]
    last = held[-1] if held else None
    since = datetime.fromisoformat(last["held"]) if last else None
    page = BeforeSession(patient["name"], now, patient["simulated"] or link["simulated"])
    page.parts["Since the last meeting"] = _since(since, last, ratings, practices, therapy)
    page.parts["Over the programme"] = [
        _change("Pain", therapy["pain"]),
        _change("Stress", therapy["stress"]),
        _beside(therapy),
    ]
    sure = link["stress"]
    page.parts["Pain and stress"] = [sure["sentence"]]
    if sure["missing"] is None:
        page.parts["Pain and stress"].append(
            f"{signed(sure['estimate'], 2)} points of pain for {sure['unit']}, 95% interval "
            f"{signed(sure['low'], 2)} to {signed(sure['high'], 2)}, {sure['n']} ratings. "
            f"{sure['caveats'][0] if sure['caveats'] else ''}".strip()
        )
    recent = [n for n in notes if since is None or datetime.fromisoformat(n["about"]) >= since]
    page.parts["Their notes"] = [f"{n['kind']}: {n['words']}" for n in recent[-8:]] or ["None."]
    if session_notes:
        kept = session_notes[-1]
        page.parts[f"Your notes of meeting {kept['number']}"] = [
            line for line in (kept["notes"], f"Homework: {kept['homework'] or 'none'}") if line
        ]
    return page


def pdf_of(page: BeforeSession) -> bytes:
    """One page of A4."""
    pdf = FPDF(format="A4")
    pdf.set_title(f"Before the session: {page.name}")
    pdf.set_auto_page_break(False)
    pdf.set_margins(18, 16)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 16)
    pdf.cell(0, 9, _latin(page.name), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", "", 9)
    made = f"{page.made:%-d %B %Y, %H:%M}" + (" - simulated data" if page.simulated else "")
    pdf.cell(0, 5, _latin(made), new_x="LMARGIN", new_y="NEXT")
    for title, lines in page.parts.items():
        pdf.ln(3)
        pdf.set_font("Helvetica", "B", 11)
        pdf.cell(0, 6, _latin(title), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", "", 10)
        for line in lines:
            if pdf.get_y() > 265:  # one page: what does not fit is on the screen
                break
            pdf.multi_cell(0, 5, _latin(line[:600]), new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(-20)
    pdf.set_font("Helvetica", "I", 8)
    pdf.multi_cell(0, 4, _latin(CAVEAT))
    return bytes(pdf.output())


def _since(
    since: datetime | None,
    last: dict[str, Any] | None,
    ratings: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    therapy: dict[str, Any],
) -> list[str]:
    if since is None or last is None:
        return ["No meeting yet."]
    many = [p for p in practices if datetime.fromisoformat(p["start"]) >= since]
    rated = [r for r in ratings if datetime.fromisoformat(r["about"]) >= since]
    lines = [
        f"Meeting {last['number']} was on {since:%-d %B}. Since then {len(rated)} ratings and "
        f"{len(many)} practices."
    ]
    around = [s for s in therapy["sessions"] if s["number"] == last["number"]]
    for name in ("pain", "stress"):
        if around:
            change = around[0][name]
            lines.append(
                f"{name.capitalize()}, three days before to three days after: "
                + (_moved(change) if change["missing"] is None else f"{change['missing']}.")
            )
    return lines


def _change(name: str, change: dict[str, Any]) -> str:
    if change["missing"] is not None:
        return f"{name}: not known yet ({change['missing']})."
    return f"{name}, first week to last: {_moved(change)}"


def _moved(change: dict[str, Any]) -> str:
    sure = "" if change["reliable"] else " We cannot tell whether it changed."
    return (
        f"{change['before']:.1f} to {change['after']:.1f}, {signed(change['change'])} (95% "
        f"interval {signed(change['low'])} to {signed(change['high'])}).{sure}"
    )


def _beside(therapy: dict[str, Any]) -> str:
    groups = "; ".join(
        f"{group['name']} {group['mean_before']:.1f} to {group['mean_after']:.1f}"
        for group in therapy["trial"]
    )
    return f"For comparison, the trial's groups over a month: {groups}. {therapy['caution']}"


def _latin(words: str) -> str:
    """What the PDF's own fonts can show; the rest as its nearest, or a question mark."""
    plain = words.replace("−", "-").replace("–", "-").replace("’", "'")
    return plain.encode("latin-1", "replace").decode("latin-1")


def now() -> datetime:
    """Now, with a zone."""
    return datetime.now(UTC)
