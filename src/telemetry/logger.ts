/** Log lines: JSON for programs, short lines for people at a terminal. */
import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogLine } from './describe.ts';

export interface LoggerOptions {
  /** Standard output for the server; standard error for commands, whose output is their result. */
  readonly stream: 'stdout' | 'stderr';
  readonly level: string;
  /** People read it: the stream is a terminal. */
  readonly pretty: boolean;
  readonly colour: boolean;
  /** A line of progress may stand on the terminal: a log line goes in its place. */
  readonly overProgress?: boolean;
}

export interface LineLogger {
  write(line: LogLine): void;
  /** Everything written is out when it returns. */
  flush(): void;
}

export function createLogger(options: LoggerOptions): LineLogger {
  const fd = options.stream === 'stdout' ? 1 : 2;
  const out = pino.destination({ fd, sync: true });
  // Who read the log has gone: no reason to end what it tells of.
  out.on('error', () => undefined);
  const target: DestinationStream = options.pretty ? { write: (json) => void out.write(pretty(json, options)) } : out;
  const logger: Logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Secrets do not come here; this is the second lock on the door (Promise 8).
      redact: { paths: ['password', 'token', 'writeKey', 'authorization', '*.password', '*.token'], censor: '******' },
    },
    target,
  );
  return {
    write: ({ level, message, fields }) => logger[level](fields, message),
    flush: () => out.flushSync(),
  };
}

const colours: Readonly<Record<string, string>> = {
  debug: '\x1b[2m',
  warn: '\x1b[33m',
  error: '\x1b[31m',
  fatal: '\x1b[31m',
};

/** `12:00:00 warn  text`, with the remedy below where there is one. */
function pretty(json: string, { colour, overProgress }: LoggerOptions): string {
  const { level, time, msg, remedy, stack } = JSON.parse(json) as Readonly<Record<string, string>>;
  const clock = (time ?? '').slice(11, 19);
  const label = (level ?? '').padEnd(5);
  const begin = colour ? (colours[level ?? ''] ?? '') : '';
  const end = begin === '' ? '' : '\x1b[0m';
  const below = [remedy, stack].filter((text) => typeof text === 'string' && text !== '');
  const rest = below.map((text) => `         ${printable(text ?? '')}\n`).join('');
  return `${overProgress === true ? '\r\x1b[2K' : ''}${clock} ${begin}${label} ${printable(msg ?? '')}${end}\n${rest}`;
}

/** Control characters escaped: a name from outside must not write on the terminal (S32). */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, (character) => JSON.stringify(character).slice(1, -1));
}
