/** Text for a terminal: columns, times, sizes, and nothing that could write on the terminal by itself. */
import type { PreviewBytes } from '../api/contract/service.ts';

/** Control characters escaped: what comes from outside must not move the cursor or set colours (S32). */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Rows in columns, the heads above; numbers to the right. No row gives the text for none. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
  none: string,
): string {
  if (rows.length === 0) return none;
  const cells = rows.map((row) => row.map((cell) => (cell === null ? '-' : printable(String(cell)))));
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]!.length)));
  const right = heads.map((_, column) => rows.every((row) => typeof row[column] === 'number' || row[column] === null));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [line(heads), ...cells.map(line)].join('\n');
}

/** `2026-01-02 03:04:05`, in UTC. */
export function timeText(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** `350 ms`, `12.3 s`, `4 min 05 s`, `2 h 03 min`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `1,234,567` */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-GB');
}

/** Text in one line; bytes as base64, null as a word. */
export function bytesText(bytes: PreviewBytes): string {
  if (bytes === null) return 'null';
  return typeof bytes === 'string' ? printable(bytes) : `base64:${bytes.base64}`;
}
