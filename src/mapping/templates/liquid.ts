/** Liquid with limits: no files, no loops, no randomness, no clock of its own; only a record's own fields. */
import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as LiquidPackage from 'liquidjs';
import type { FilterImplOptions, Liquid, Template } from 'liquidjs';
import { parseTime } from '../../base/time-text.ts';
import { textOf } from '../text.ts';
import { isPlain, liquidScope, LongNumber } from './liquid-values.ts';

export const MAX_LIQUID_LENGTH = 1000;

export interface LiquidTemplate {
  /** Throws Error when a limit is hit or a filter cannot take its value. `nowMs` is what the `now` of dates means. */
  render(root: unknown, nowMs: number): string;
}

/** Throws Error saying what is wrong and where. */
export function parseLiquid(text: string): LiquidTemplate {
  const liquid = (engine ??= createEngine());
  const templates: Template[] = liquid.parse(text);
  return {
    render(root, nowMs) {
      renderedAtMs = nowMs;
      return liquid.renderSync(templates, liquidScope(root)) as string;
    },
  };
}

const disabledTags = ['case', 'for', 'include', 'layout', 'block', 'render', 'tablerow'];

// `sample` besides: the same record must always give the same text.
const disabledFilters = (
  'array_to_sentence_string concat find find_exp find_index find_index_exp group_by group_by_exp has has_exp map ' +
  'newline_to_br reject reject_exp reverse sort sort_natural uniq where_exp type sample'
).split(' ');

const dateFilters = ['date', 'date_to_xmlschema', 'date_to_rfc822', 'date_to_string', 'date_to_long_string'];

// Rendering is synchronous: one template at a time reads it.
let renderedAtMs = 0;

// Made at the first use: the package takes a tenth of a second to load, and few mappings need it.
let engine: Liquid | null = null;

function createEngine(): Liquid {
  const liquidjs = createRequire(import.meta.url)('liquidjs') as typeof LiquidPackage;
  const liquid = new liquidjs.Liquid({
    ownPropertyOnly: true,
    strictFilters: true,
    parseLimit: MAX_LIQUID_LENGTH,
    renderLimit: 500,
    memoryLimit: 100_000_000,
    timezoneOffset: 0,
    locale: 'en-US',
    cache: false,
  });
  for (const name of disabledTags) delete liquid.tags[name];
  for (const name of disabledFilters) delete liquid.filters[name];
  for (const name of dateFilters) liquid.registerFilter(name, withoutClock(liquid.filters[name]!));
  liquid.registerFilter('base64', (value: unknown) => Buffer.from(textOf(value)).toString('base64'));
  liquid.registerFilter('sha256', (value: unknown) => hash('sha256', textOf(value)));
  liquid.registerFilter('keys', (value: unknown) => (isPlain(value) ? Object.keys(value) : []));
  liquid.registerFilter('only', (value: unknown, ...names: unknown[]) => pick(value, (name) => names.includes(name)));
  liquid.registerFilter('except', (value: unknown, ...names: unknown[]) =>
    pick(value, (name) => !names.includes(name)),
  );
  return liquid;
}

/** `now` and `today` mean the time of the record, and text without an offset is UTC, so that preview and sending agree. */
function withoutClock(filter: FilterImplOptions): FilterImplOptions {
  const handler = typeof filter === 'function' ? filter : filter.handler;
  return function (value, ...options) {
    return handler.call(this, timeOf(value), ...options) as unknown;
  };
}

/** What the engine reads the same way on every machine. */
function timeOf(value: unknown): unknown {
  if (value instanceof LongNumber) return Number(value);
  if (typeof value !== 'string') return value;
  if (value === 'now' || value === 'today') return new Date(renderedAtMs);
  const epochMs = parseTime(value);
  if (!Number.isNaN(epochMs)) return new Date(epochMs);
  if (/^\d*$/.test(value) || namesZone.test(value)) return value;
  const utc = `${value} UTC`;
  return Number.isNaN(Date.parse(utc)) ? value : utc;
}

/** An offset after a time, or the name of a zone that the engine knows. */
const namesZone = /(?::\d\d(?:\.\d+)?\s*|GMT\s*|UTC\s*)[+-]\d\d:?\d\d|(?<![A-Z])(?:Z|UTC?|GMT|[ECMP][SD]T)(?![A-Z])/i;

function pick(value: unknown, wanted: (name: string) => boolean): unknown {
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => wanted(name)));
}
