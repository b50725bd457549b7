/** Moments as the API and forms write them. */

/** @param {number} number */
function two(number) {
  return String(number).padStart(2, "0");
}

/**
 * A moment in the phone's own time, to the minute, as `datetime-local` has it.
 * @param {Date} moment
 */
export function toLocalInput(moment) {
  return isoWithOffset(moment).slice(0, 16);
}

/**
 * A moment with the offset of the phone's zone then: the first ten letters are the day as the
 * person had it.
 * @param {Date} moment
 */
export function isoWithOffset(moment) {
  const minutes = -moment.getTimezoneOffset();
  const local = new Date(moment.getTime() + 60_000 * minutes).toISOString().slice(0, 23);
  const size = Math.abs(minutes);
  const sign = minutes < 0 ? "-" : "+";
  return `${local}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/**
 * The days up to today, oldest first, as `YYYY-MM-DD`.
 * @param {number} number
 * @param {Date} [today]
 */
export function lastDays(number, today = new Date()) {
  return Array.from({ length: number }, (_, place) => {
    const back = number - 1 - place;
    const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() - back, 12);
    return isoWithOffset(day).slice(0, 10);
  });
}

/**
 * Which of the two scales a prompt asks for.
 * @param {string | undefined} asks
 * @returns {('pain' | 'stress')[]}
 */
export function askedFor(asks) {
  return asks === "pain" || asks === "stress" ? [asks] : ["pain", "stress"];
}
