/** Times as text: ISO 8601 and what databases print, read without the process's time zone. */

/**
 * Epoch milliseconds of `2024-05-01`, `2024-05-01 12:34`, `2024-05-01T12:34:56.123456+02:00`, `2024-05-01 12:34:56+02`.
 * Without a zone it is UTC. Digits beyond milliseconds are cut off. NaN when it does not read.
 */
export function parseTime(text: string): number {
  const length = text.length;
  if (length < 10 || length > 48 || text[4] !== '-' || text[7] !== '-') return Number.NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  // Every comparison with NaN is false: a date with a non-digit in it does not pass either.
  if (!(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return Number.NaN;
  const dayMs = daysSinceEpoch(year, month, day) * 86_400_000;
  if (length === 10) return dayMs;
  const separator = text.charCodeAt(10);
  if (separator !== 0x54 && separator !== 0x20 && separator !== 0x74) return Number.NaN;
  return dayMs + timeOfDay(text, 11);
}

/** `12:34[:56[.123]][zone]` from `at` to the end, in milliseconds, with the zone taken off. */
function timeOfDay(text: string, at: number): number {
  const hour = digits(text, at, 2);
  const minute = digits(text, at + 3, 2);
  if (text[at + 2] !== ':' || !(hour <= 23 && minute <= 59)) return Number.NaN;
  let timeMs = (hour * 60 + minute) * 60_000;
  at += 5;
  if (text[at] === ':') {
    const second = digits(text, at + 1, 2);
    if (!(second <= 59)) return Number.NaN;
    timeMs += second * 1000;
    at += 3;
    if (text[at] === '.' || text[at] === ',') {
      const from = ++at;
      let milliseconds = 0;
      for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(++at))
        if (at - from < 3) milliseconds = milliseconds * 10 + code - 0x30;
      if (at === from) return Number.NaN;
      timeMs += at - from === 1 ? milliseconds * 100 : at - from === 2 ? milliseconds * 10 : milliseconds;
    }
  }
  if (at === text.length) return timeMs;
  if (at === text.length - 1 && (text[at] === 'Z' || text[at] === 'z')) return timeMs;
  return timeMs - zoneMs(text.slice(at).trimStart());
}

const zoneText = /^([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?$/;

/** `Z`, `UTC`, `+02`, `+0200`, `+02:00`, `+02:00:30`; NaN for anything else. */
function zoneMs(zone: string): number {
  if (zone === 'Z' || zone === 'z' || zone === 'UTC') return 0;
  const parts = zoneText.exec(zone);
  if (parts === null) return Number.NaN;
  const [, sign, hours, minutes = '0', seconds = '0'] = parts;
  if (Number(hours) > 18 || Number(minutes) > 59 || Number(seconds) > 59) return Number.NaN;
  return (sign === '-' ? -1000 : 1000) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds));
}

/** NaN when one of them is no digit. */
function digits(text: string, at: number, count: number): number {
  let number = 0;
  for (let index = at; index < at + count; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Days from 1970-01-01, by eras of 400 years that begin in March. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}
