/** Mustache, parsed to a tree and rendered as text: sections, no partials, no functions, no HTML escaping. */
import mustache from 'mustache';
import { isRawNumber } from '../../base/json.ts';
import type { SourceRecord } from '../../model/index.ts';
import { pathExpression, parsePath } from '../path.ts';
import type { MappingContext } from '../ports.ts';
import { Refusal } from '../refusal.ts';
import { textOf } from '../text.ts';

export type Node =
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  | { readonly kind: 'value'; readonly name: Name; readonly at: number }
  | {
      readonly kind: 'section';
      readonly name: Name;
      readonly inverted: boolean;
      readonly children: readonly Node[];
      readonly at: number;
    };

/** What stands between braces: `.` is the item of the section, `$.` leads from the record. */
export interface Name {
  readonly text: string;
  readonly steps: readonly string[];
  readonly fromRecord: boolean;
}

/** Where a section stands: its item, and the sections around it. */
export interface Frame {
  readonly item: unknown;
  readonly up: Frame | null;
}

/** What rendering may read; `names` stand behind the record's own top-level fields. */
export interface Scope {
  readonly root: unknown;
  readonly record: SourceRecord;
  readonly context: MappingContext;
}

/** Names that a template knows beside the record's fields, such as `operation` for rows. */
export type ExtraNames = ReadonlyMap<string, (record: SourceRecord, context: MappingContext) => unknown>;

export interface TemplateFault {
  readonly reason: string;
  /** Characters from the beginning of the template. */
  readonly at: number;
}

// Without its cache, which would keep every template that was ever looked at.
const writer = Object.assign(new mustache.Writer(), { templateCache: undefined });

export const MAX_TEMPLATE_LENGTH = 100_000;
const MAX_SECTION_DEPTH = 20;

/** The tree, or what is wrong with the template. */
export function parseMustache(template: string): readonly Node[] | TemplateFault {
  if (template.length > MAX_TEMPLATE_LENGTH)
    return {
      reason: `it is ${template.length} characters long, and ${MAX_TEMPLATE_LENGTH} is the most`,
      at: MAX_TEMPLATE_LENGTH,
    };
  let spans: Span[];
  try {
    spans = writer.parse(template) as Span[];
  } catch (error) {
    const [, reason = 'it does not read', at = '0'] = /^(.*?)(?: at (\d+))?$/.exec((error as Error).message) ?? [];
    return { reason, at: Number(at) };
  }
  try {
    return nodesOf(spans, 0);
  } catch (error) {
    if (error instanceof Fault) return { reason: error.message, at: error.at };
    throw error;
  }
}

/** `line 2, column 5` */
export function placeIn(template: string, at: number): string {
  const before = template.slice(0, at).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

export class Fault extends Error {
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

/** Gives the value of a name where it stands: the innermost section first, then those around it, then the record. */
export type Resolve = (scope: Scope, frame: Frame | null) => unknown;

export function compileName(name: Name, extra: ExtraNames, inSection: boolean): Resolve {
  const { steps } = name;
  const ofRecord = recordReader(steps, extra);
  if (name.fromRecord || !inSection) return ofRecord;
  if (steps.length === 0) return (scope, frame) => (frame === null ? scope.root : frame.item);
  const first = pathExpression(steps.slice(0, 1)).evaluate;
  const whole = pathExpression(steps).evaluate;
  return (scope, frame) => {
    const { record, context } = scope;
    for (let level = frame; level !== null; level = level.up)
      if (first(level.item, record, context) !== undefined && level.item !== null)
        return whole(level.item, record, context);
    return ofRecord(scope, null);
  };
}

function recordReader(steps: readonly string[], extra: ExtraNames): Resolve {
  const { evaluate } = pathExpression(steps);
  const known = steps.length === 1 ? extra.get(steps[0]!) : undefined;
  if (known === undefined) return ({ root, record, context }) => evaluate(root, record, context);
  return ({ root, record, context }) => evaluate(root, record, context) ?? known(record, context);
}

/** Whether a section is rendered for the value: not for absent, null, false, 0, the empty text and the empty list. */
export function isShown(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isRawNumber(value)) return Number(value.rawJSON) !== 0;
  return Boolean(value);
}

/** Counts the rounds of sections over one record: nested lists multiply. */
export class Steps {
  #left = MAX_STEPS;

  /** Throws Refusal when there were too many. */
  take(): void {
    if (--this.#left < 0)
      throw new Refusal(
        'mapping_failed',
        '',
        `template: the sections go round more than ${MAX_STEPS} times for this record`,
      );
  }
}

const MAX_STEPS = 1_000_000;

/** Renders as text: values as their text, nothing escaped. */
export function compileText(nodes: readonly Node[], extra: ExtraNames): (scope: Scope) => string {
  const parts = textParts(nodes, extra, false);
  return (scope) => renderParts(parts, scope, null, new Steps());
}

type TextPart = (scope: Scope, frame: Frame | null, steps: Steps) => string;

function textParts(nodes: readonly Node[], extra: ExtraNames, inSection: boolean): readonly TextPart[] {
  return nodes.map((node): TextPart => {
    if (node.kind === 'text') return () => node.text;
    const resolve = compileName(node.name, extra, inSection);
    if (node.kind === 'value') return (scope, frame) => textOf(resolve(scope, frame));
    const children = textParts(node.children, extra, true);
    return (scope, frame, steps) => {
      const value = resolve(scope, frame);
      if (node.inverted) return isShown(value) ? '' : renderParts(children, scope, frame, steps);
      if (!isShown(value)) return '';
      if (!Array.isArray(value)) return renderItem(children, scope, { item: value, up: frame }, steps);
      let text = '';
      for (const item of value as readonly unknown[]) text += renderItem(children, scope, { item, up: frame }, steps);
      return text;
    };
  });
}

function renderItem(parts: readonly TextPart[], scope: Scope, frame: Frame, steps: Steps): string {
  steps.take();
  return renderParts(parts, scope, frame, steps);
}

function renderParts(parts: readonly TextPart[], scope: Scope, frame: Frame | null, steps: Steps): string {
  let text = '';
  for (const part of parts) text += part(scope, frame, steps);
  return text;
}

type Span = [kind: string, value: string, start: number, end: number, children?: Span[]];

function nodesOf(spans: readonly Span[], depth: number): Node[] {
  if (depth > MAX_SECTION_DEPTH)
    throw new Fault(`sections are nested deeper than ${MAX_SECTION_DEPTH}`, spans[0]?.[2] ?? 0);
  const nodes: Node[] = [];
  for (const [kind, value, at, , children] of spans) {
    if (kind === 'text') nodes.push({ kind: 'text', text: value, at });
    else if (kind === 'name' || kind === '&') nodes.push({ kind: 'value', name: nameOf(value, at), at });
    else if (kind === '#' || kind === '^')
      nodes.push({
        kind: 'section',
        name: nameOf(value, at),
        inverted: kind === '^',
        children: nodesOf(children ?? [], depth + 1),
        at,
      });
    else if (kind === '>') throw new Fault(`there are no partials: "{{> ${value}}}"`, at);
  }
  return nodes;
}

function nameOf(text: string, at: number): Name {
  if (text === '') throw new Fault('a name is missing between the braces', at);
  const parsed = parsePath(text);
  if (!parsed.ok) throw new Fault(`the name "${text}" does not read: ${parsed.reason}`, at);
  return { text, steps: parsed.steps, fromRecord: text.startsWith('$') };
}
