/** Dates by a pattern such as `dd.MM.yyyy HH:mm:ss.SSS XXX`: written and read, in one zone. */
import { fromLocal, zoneOffset } from './time-zone.ts';

/** A pattern that was read. */
export type DatePattern = readonly Piece[];

type Piece = { readonly literal: string } | { readonly field: Field; readonly width: number };

type Field = 'y' | 'M' | 'd' | 'H' | 'h' | 'm' | 's' | 'S' | 'a' | 'E' | 'X' | 'x';

const allowedWidths: { readonly [field in Field]: readonly number[] } = {
  y: [2, 4],
  M: [1, 2, 3, 4],
  d: [1, 2],
  H: [1, 2],
  h: [1, 2],
  m: [1, 2],
  s: [1, 2],
  S: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  a: [1],
  E: [3, 4],
  X: [1, 2, 3],
  x: [1, 2, 3],
};

/** Reads a pattern; text gives what is wrong with it. Letters mean fields, quoted text and everything else itself. */
export function readDatePattern(pattern: string): DatePattern | string {
  const pieces: Piece[] = [];
  for (const [text] of pattern.matchAll(/'(?:[^']|'')*'|'|([A-Za-z])\1*|[^A-Za-z']+/g)) {
    if (text === "'") return 'a quote is not closed';
    if (text.startsWith("'")) pieces.push({ literal: text === "''" ? "'" : text.slice(1, -1).replaceAll("''", "'") });
    else if (/[A-Za-z]/.test(text)) {
      const field = text[0] as Field;
      const widths = Object.hasOwn(allowedWidths, field) ? allowedWidths[field] : undefined;
      if (widths === undefined)
        return `there is no date field "${field}"; letters that stand for themselves go in quotes`;
      if (!widths.includes(text.length)) return `"${text}" is not a form of the field "${field}"`;
      pieces.push({ field, width: text.length });
    } else pieces.push({ literal: text });
  }
  if (pieces.length === 0) return 'the pattern is empty';
  return pieces;
}

/** Writes epoch milliseconds as local time of the zone. */
export function formatDate(pattern: DatePattern, zone: string): (epochMs: number) => string {
  const offset = zoneOffset(zone);
  return (epochMs) => {
    const offsetMs = offset(epochMs);
    const local = new Date(epochMs + offsetMs);
    let text = '';
    for (const piece of pattern)
      text += 'literal' in piece ? piece.literal : formatField(piece.field, piece.width, local, offsetMs);
    return text;
  };
}

/** Reads text to epoch milliseconds, NaN when it does not fit the pattern; without an offset in it, in the zone. */
export function parseDate(pattern: DatePattern, zone: string): (text: string) => number {
  const expression = new RegExp(`^${pattern.map(fieldExpression).join('')}$`, 'i');
  const fields = pattern.flatMap((piece) => ('literal' in piece ? [] : [piece]));
  const offset = zoneOffset(zone);
  return (text) => {
    const match = expression.exec(text);
    return match === null ? Number.NaN : toEpoch(fields, match, offset);
  };
}

const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

function formatField(field: Field, width: number, local: Date, offsetMs: number): string {
  const padded = (number: number): string => String(number).padStart(width, '0');
  switch (field) {
    case 'y':
      return width === 2 ? padded(local.getUTCFullYear() % 100) : String(local.getUTCFullYear()).padStart(4, '0');
    case 'M':
      if (width <= 2) return padded(local.getUTCMonth() + 1);
      return months[local.getUTCMonth()]!.slice(0, width === 3 ? 3 : undefined);
    case 'd':
      return padded(local.getUTCDate());
    case 'H':
      return padded(local.getUTCHours());
    case 'h':
      return padded(local.getUTCHours() % 12 === 0 ? 12 : local.getUTCHours() % 12);
    case 'm':
      return padded(local.getUTCMinutes());
    case 's':
      return padded(local.getUTCSeconds());
    case 'S':
      return String(local.getUTCMilliseconds()).padStart(3, '0').padEnd(9, '0').slice(0, width);
    case 'a':
      return local.getUTCHours() < 12 ? 'AM' : 'PM';
    case 'E':
      return days[local.getUTCDay()]!.slice(0, width === 3 ? 3 : undefined);
    case 'X':
      return offsetMs === 0 ? 'Z' : formatOffset(offsetMs, width);
    case 'x':
      return formatOffset(offsetMs, width);
  }
}

/** Width 1: +02 (+0530 where there are minutes), 2: +0200, 3: +02:00. */
function formatOffset(offsetMs: number, width: number): string {
  const minutes = Math.abs(Math.trunc(offsetMs / 60_000));
  const hour = String(Math.floor(minutes / 60)).padStart(2, '0');
  const minute = String(minutes % 60).padStart(2, '0');
  const sign = offsetMs < 0 ? '-' : '+';
  if (width === 1 && minute === '00') return sign + hour;
  return sign + hour + (width === 3 ? ':' : '') + minute;
}

function fieldExpression(piece: Piece): string {
  if ('literal' in piece) return RegExp.escape(piece.literal);
  const { field, width } = piece;
  if (field === 'M' && width > 2) return `(${months.map((name) => (width === 3 ? name.slice(0, 3) : name)).join('|')})`;
  if (field === 'E') return `(${days.map((name) => (width === 3 ? name.slice(0, 3) : name)).join('|')})`;
  if (field === 'a') return '(AM|PM)';
  if (field === 'X' || field === 'x') return '(Z|[+-]\\d\\d(?::?\\d\\d)?)';
  if (field === 'S') return `(\\d{${width}})`;
  return width === 1 ? '(\\d{1,2})' : `(\\d{${width}})`;
}

function toEpoch(
  fields: readonly { readonly field: Field; readonly width: number }[],
  match: RegExpExecArray,
  offset: (epochMs: number) => number,
): number {
  let [year, month, day, hour, minute, second, milliseconds] = [1970, 1, 1, 0, 0, 0, 0];
  let afternoon: boolean | null = null;
  let offsetMs: number | null = null;
  for (const [index, { field, width }] of fields.entries()) {
    const text = match[index + 1]!;
    const number = Number(text);
    if (field === 'y') year = width === 2 ? number + (number < 70 ? 2000 : 1900) : number;
    else if (field === 'M') month = width <= 2 ? number : monthOf(text);
    else if (field === 'd') day = number;
    else if (field === 'H' || field === 'h') hour = number;
    else if (field === 'm') minute = number;
    else if (field === 's') second = number;
    else if (field === 'S') milliseconds = Number(text.padEnd(3, '0').slice(0, 3));
    else if (field === 'a') afternoon = text.toUpperCase() === 'PM';
    else if (field !== 'E') offsetMs = readOffset(text);
  }
  if (afternoon !== null) {
    if (hour < 1 || hour > 12) return Number.NaN;
    hour = (hour % 12) + (afternoon ? 12 : 0);
  }
  const localMs = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
  const local = new Date(localMs);
  // Date.UTC carries over: 31 April would be 1 May.
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day || year < 100) return Number.NaN;
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
  return offsetMs === null ? fromLocal(localMs, offset) : localMs - offsetMs;
}

function monthOf(name: string): number {
  return months.findIndex((month) => month.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase()) + 1;
}

function readOffset(text: string): number {
  if (text.toUpperCase() === 'Z') return 0;
  const digits = text.slice(1).replace(':', '').padEnd(4, '0');
  return (text[0] === '-' ? -60_000 : 60_000) * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2)));
}
