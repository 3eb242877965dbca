/** Offsets of time zones, from the zone data that comes with Node. */

/** Whether the name is a zone such as `Europe/Berlin`, `UTC` or `+02:00`. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Gives how far local time is ahead of UTC at an instant (epoch milliseconds), in milliseconds. */
export function zoneOffset(zone: string): (epochMs: number) => number {
  if (zone === 'UTC') return () => 0;
  const format = formatOf(zone);
  // Offsets change at full quarters of an hour only, and records come close together in time.
  let lastQuarter = Number.NaN;
  let lastOffsetMs = 0;
  return (epochMs) => {
    const quarter = Math.floor(epochMs / 900_000);
    if (quarter !== lastQuarter) {
      lastOffsetMs = offsetOf(format.format(epochMs));
      lastQuarter = quarter;
    }
    return lastOffsetMs;
  };
}

/**
 * Epoch milliseconds of a local time, given as if it were UTC. A time that the clock skips moves on by the skip; of a
 * time that comes twice the first is meant.
 */
export function fromLocal(localMs: number, offset: (epochMs: number) => number): number {
  const before = offset(localMs - 86_400_000);
  const after = offset(localMs + 86_400_000);
  const early = localMs - before;
  if (before === after || offset(early) === before) return early;
  const late = localMs - after;
  return offset(late) === after ? late : early;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making one costs far more than using it. Throws RangeError when there is no such zone. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    formats.set(zone, format);
  }
  return format;
}

const offsetText = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

function offsetOf(formatted: string): number {
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = offsetText.exec(formatted) ?? [];
  const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return (sign === '-' ? -1000 : 1000) * size;
}
