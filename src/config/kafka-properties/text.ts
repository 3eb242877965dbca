/** The text of a client's properties file, as Java reads it (librdkafka's differ in nothing that matters here). */

/** Names and values in their order; a name that stands twice comes twice. Every text can be read. */
export function readProperties(text: string): [name: string, value: string][] {
  return logicalLines(text).map((line) => {
    const end = endOfName(line);
    const name = line.slice(0, end);
    const value = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
    return [unescaped(name), unescaped(value)];
  });
}

/** Lines without comments, joined where one ends with a backslash. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | null = null;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line: string = natural.replace(/^[ \t\f]+/, '');
    if (open === null && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const whole: string = (open ?? '') + line;
    if (endsOpen(line)) {
      open = whole.slice(0, -1);
      continue;
    }
    open = null;
    // Spaces at the end are part of a value in Java; nobody means them.
    lines.push(whole.trimEnd());
  }
  if (open !== null) lines.push(open.trimEnd());
  return lines;
}

/** An even count of backslashes at the end is so many halves of themselves. */
function endsOpen(line: string): boolean {
  let count = 0;
  for (let at = line.length - 1; at >= 0 && line[at] === '\\'; at--) count++;
  return count % 2 === 1;
}

function endOfName(line: string): number {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (/[=: \t\f]/.test(line[at]!)) return at;
  }
  return line.length;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(u[0-9A-Fa-f]{4}|[^])/g, (_, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return { t: '\t', n: '\n', r: '\r', f: '\f' }[escape] ?? escape;
  });
}
