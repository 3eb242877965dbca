/**
 * Loaded into a child by `--import` in a test: ends or breaks it at a named point of its code. HEADRACE_FAILPOINT is
 * `name:hit:action`: at the so-manieth hit of the point, `kill` (SIGKILL to itself), `throw` or `reject` (an error or a
 * rejection that nobody catches).
 */
import { subscribe } from 'node:diagnostics_channel';

/** Where something becomes durable, is promised, or is given up. */
export const collectorPoints = ['ready.before', 'send.before', 'send.after', 'answer.before', 'answer.after'] as const;
/** Only while the spool is used. */
export const spoolPoints = [
  'spool.create.before',
  'spool.create.after',
  'spool.write.before',
  'spool.write.after',
  'spool.flush.before',
  'spool.flush.after',
  'spool.remove.before',
  'spool.remove.after',
] as const;
export const runPoints = [
  'send.before',
  'send.after',
  'checkpoint.before',
  'checkpoint.after',
  'run-end.before',
] as const;

export type FailAction = 'kill' | 'throw' | 'reject';

/** The environment of a child that is to fail so. */
export function failingAt(name: string, hit: number, action: FailAction): Record<string, string> {
  return { NODE_OPTIONS: `--import=${import.meta.filename}`, HEADRACE_FAILPOINT: `${name}:${hit}:${action}` };
}

const wanted = process.env['HEADRACE_FAILPOINT'];
if (wanted !== undefined && wanted !== '' && process.env['NODE_OPTIONS']?.includes(import.meta.filename) === true)
  listen(wanted);

function listen(text: string): void {
  const [name, hit, action] = text.split(':');
  let hits = 0;
  subscribe('headrace.failpoint', (reached) => {
    if (reached !== name || ++hits !== Number(hit)) return;
    // A signal to oneself is delivered before the call returns: nothing of the program runs after it.
    if (action === 'kill') process.kill(process.pid, 'SIGKILL');
    if (action === 'reject') void Promise.reject(new Error(`rejected at ${name}`));
    // Thrown by the channel in a turn of its own.
    if (action === 'throw') throw new Error(`thrown at ${name}`);
  });
}
