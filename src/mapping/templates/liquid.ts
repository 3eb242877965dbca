/** Liquid with limits: no files, no loops, no randomness, no clock of its own; only a record's own fields. */
import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as LiquidPackage from 'liquidjs';
import type { FilterImplOptions, Liquid, Template } from 'liquidjs';
import { isRawNumber } from '../../base/json.ts';
import { textOf } from '../text.ts';

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
      const scope = typeof root === 'object' && root !== null ? (digitsAsText(root) as object) : {};
      return liquid.renderSync(templates, scope) as string;
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

/** `now` and `today` mean the time of the record, so that preview and sending agree. */
function withoutClock(filter: FilterImplOptions): FilterImplOptions {
  const handler = typeof filter === 'function' ? filter : filter.handler;
  return function (value, ...options) {
    const given: unknown = value === 'now' || value === 'today' ? new Date(renderedAtMs) : value;
    return handler.call(this, given, ...options) as unknown;
  };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pick(value: unknown, wanted: (name: string) => boolean): unknown {
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => wanted(name)));
}

/** Numbers kept as raw JSON as text with their digits; the same object where there are none. */
function digitsAsText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isRawNumber(value)) return value.rawJSON;
  if (Array.isArray(value)) {
    const items = value.map(digitsAsText);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value).map(([name, member]) => [name, digitsAsText(member)] as const);
  const changed = entries.some(([name, member]) => member !== (value as Record<string, unknown>)[name]);
  return changed ? Object.fromEntries(entries) : value;
}
