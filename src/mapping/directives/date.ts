/** `@date`: a time read in one form and written in another. */
import { isoTime } from '../../base/clock.ts';
import { formatDate, parseDate, readDatePattern } from '../../base/date-pattern.ts';
import { isTimeZone } from '../../base/time-zone.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from '../directive.ts';
import { computed, unionFields, type Expression } from '../expression.ts';
import { textOf } from '../text.ts';
import { readTime, type TimeUnit } from '../times.ts';
import { checkArguments, part, plain, unreadable } from './members.ts';

const units: { readonly [name: string]: TimeUnit } = { s: 's', ms: 'ms', us: 'us' };

export const dateDirective: Directive = {
  name: '@date',
  summary: 'A time, read in one form and written in another, in any time zone.',
  docs: [
    "`{value, from, from_zone, to, zone, else}`. `from`: `auto` (when left out: ISO 8601, a database's text, or an epoch told apart by its",
    'size), `s`, `ms`, `us`, or a pattern. `to`: `iso` (when left out: UTC with milliseconds), `s`, `ms`, `us`, or a pattern. Patterns:',
    '`yyyy yy MMMM MMM MM M dd d EEEE EEE HH H hh h a mm m ss s SSS XXX XX X xxx`, other letters in single quotes. `zone` is the zone that is',
    'written, `from_zone` that of text without an offset (both UTC when left out; with a zone, `iso` has its offset).',
    'Absent stays absent, null stays null; what cannot be read gives `else`, and without one the record is rejected.',
  ].join('\n'),
  example: {
    mapping: { '@date': { value: '$.at', to: 'dd.MM.yyyy HH:mm', zone: 'Europe/Berlin' } },
    record: { at: '2024-07-01T12:30:00Z' },
    result: '01.07.2024 14:30',
  },
  check(argument: unknown, at: string, tools: CheckTools): Problem[] {
    const text = { kind: 'text', shortest: 1, longest: 200 } as const;
    const mapping = { kind: 'mapping' } as const;
    const specs = {
      value: { ...mapping, required: true },
      from: text,
      from_zone: text,
      to: text,
      zone: text,
      else: mapping,
    };
    const problems = checkArguments(argument, at, specs, tools);
    if (problems.length > 0 || !isObject(argument)) return problems;
    for (const name of ['zone', 'from_zone'])
      if (Object.hasOwn(argument, name) && !isTimeZone(argument[name] as string))
        problems.push({
          path: `${at}.${name}`,
          reason: `"${argument[name] as string}" is no time zone`,
          remedy: 'write a name like "Europe/Berlin", or "+02:00"',
        });
    for (const name of ['from', 'to']) {
      const form = argument[name] as string | undefined;
      if (form === undefined || Object.hasOwn(units, form) || form === (name === 'from' ? 'auto' : 'iso')) continue;
      const read = readDatePattern(form);
      if (typeof read === 'string')
        problems.push({
          path: `${at}.${name}`,
          reason: `"${form}": ${read}`,
          remedy: 'write it like "yyyy-MM-dd HH:mm:ss"',
        });
    }
    return problems;
  },
  compile(argument: JsonValue, tools: CompileTools): Expression {
    const value = part(argument, 'value', tools);
    const hasElse = isObject(argument) && Object.hasOwn(argument, 'else');
    const otherwise = part(argument, 'else', tools);
    const read = reader(plain(argument, 'from', 'auto'), plain(argument, 'from_zone', 'UTC'));
    const write = writer(plain(argument, 'to', 'iso'), plain(argument, 'zone', 'UTC'));
    return computed(
      (root, record, context) => {
        const given = value.evaluate(root, record, context);
        if (given === undefined || given === null) return given;
        const epochMs = read(given);
        if (Math.abs(epochMs) <= LARGEST) return write(epochMs);
        if (hasElse) return otherwise.evaluate(root, record, context);
        throw unreadable('@date', given, 'a time of that form');
      },
      unionFields([value, otherwise]),
    );
  },
};

/** The years 100 to 9999 are well within it. */
const LARGEST = 8.64e15;

function reader(form: string, zone: string): (value: unknown) => number {
  if (form === 'auto' || Object.hasOwn(units, form)) {
    const unit = units[form];
    return (value) => readTime(value, unit, zone);
  }
  const pattern = readDatePattern(form);
  if (typeof pattern === 'string') return () => Number.NaN;
  const parse = parseDate(pattern, zone);
  return (value) => parse(textOf(value));
}

function writer(form: string, zone: string): (epochMs: number) => unknown {
  if (form === 's') return (epochMs) => Math.floor(epochMs / 1000);
  if (form === 'ms') return (epochMs) => epochMs;
  if (form === 'us') return (epochMs) => epochMs * 1000;
  if (form === 'iso' && zone === 'UTC') return isoTime;
  const pattern = readDatePattern(form === 'iso' ? "yyyy-MM-dd'T'HH:mm:ss.SSSxxx" : form);
  return typeof pattern === 'string' ? () => undefined : formatDate(pattern, zone);
}
