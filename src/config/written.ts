/** From a text to the objects as written: sections, names, absolute paths. */
import { isAbsolute, resolve } from 'node:path';
import { isRawNumber } from '../base/json.ts';
import { suggest } from '../base/suggest.ts';
import {
  objectKinds,
  type JsonObject,
  type JsonValue,
  type ObjectKind,
  type Problem,
  type WrittenObject,
} from '../model/index.ts';
import { destination } from './destinations.ts';
import { readDocuments } from './document.ts';
import { absoluteReferences, parseReferences } from './references.ts';
import { At, childPath, Report } from './report.ts';
import { source } from './sources.ts';
import type { Spec } from './spec.ts';
import { sync } from './syncs.ts';
import { isObject, kindOf } from './values.ts';

export interface TextInput {
  readonly text: string;
  /** What problems call it: the file's name. */
  readonly name: string;
  /** The folder that relative paths start from; null: paths must be absolute (the API). */
  readonly folder: string | null;
}

export interface WrittenText {
  readonly objects: readonly WrittenObject[];
  readonly problems: readonly Problem[];
  /** The problems with their line and column in this text (`headrace.yaml:12:5`), or those of the nearest thing around. */
  locate(problems: readonly Problem[]): Problem[];
}

/** The section of the file that holds each kind. */
export const sections = { destination: 'destinations', source: 'sources', sync: 'syncs' } as const;

/** The spec of each kind; what a room adds to a kind, it adds there. */
export const kindSpecs = { destination, source, sync } as const satisfies Record<ObjectKind, Spec<unknown>>;

const namePattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,99}$/u;

/** The path of an object: `syncs.orders`. */
export function objectPath(kind: ObjectKind, name: string): string {
  return childPath(sections[kind], name);
}

/** Reads YAML or JSON text. The objects are as written but for relative paths; nothing in them is checked yet. */
export function readText(input: TextInput): WrittenText {
  const { documents, problems } = readDocuments(input.text, input.name);
  if (problems.length > 0) return { objects: [], problems, locate: (all) => [...all] };
  const report = new Report();
  const objects = new Map<string, WrittenObject>();
  const places = new Map<string, string>();
  for (const document of documents) {
    for (const [path, place] of document.places) places.set(path, `${input.name}:${place}`);
    readSections(document.value, input.folder, report, objects);
  }
  if (documents.length === 0) {
    new At(report, input.name).problem('holds no configuration.', 'Write `destinations:`, `sources:` and `syncs:`.');
  }
  const locate = (all: readonly Problem[]): Problem[] => all.map((problem) => located(problem, places));
  return { objects: [...objects.values()], problems: locate(report.problems), locate };
}

function located(problem: Problem, places: ReadonlyMap<string, string>): Problem {
  if (problem.place !== undefined) return problem;
  for (let path = problem.path; path !== ''; path = path.replace(/(?:^|\.|\[)[^.[]*$/, '')) {
    const place = places.get(path);
    if (place !== undefined) return { ...problem, place };
  }
  return problem;
}

function readSections(
  value: JsonValue,
  folder: string | null,
  report: Report,
  objects: Map<string, WrittenObject>,
): void {
  const root = new At(report, '');
  if (!isObject(value)) {
    new At(report, 'the file').problem(
      `must hold the sections destinations, sources and syncs, and is ${kindOf(value)}.`,
      'Begin with a line `destinations:`.',
    );
    return;
  }
  for (const [key, section] of Object.entries(value)) {
    const kind = objectKinds.find((one) => sections[one] === key);
    if (kind !== undefined) readSection(kind, section, root.child(key), folder, objects);
    else tellUnknownSection(key, root.child(key));
  }
}

function tellUnknownSection(key: string, at: At): void {
  const names = Object.values(sections);
  const near = suggest(key, names);
  const remedy = near === null ? `Known sections are ${names.join(', ')}.` : `Did you mean \`${near}\`?`;
  at.problem('is no section that is known.', remedy);
}

function readSection(
  kind: ObjectKind,
  section: JsonValue,
  at: At,
  folder: string | null,
  objects: Map<string, WrittenObject>,
): void {
  // A section whose lines are all commented out.
  if (section === null) return;
  if (!isObject(section)) {
    at.problem(
      `must hold ${sections[kind]} by name, and is ${kindOf(section)}.`,
      `Write the name of the ${kind}, a colon, and its fields below it.`,
    );
    return;
  }
  for (const [name, body] of Object.entries(section)) {
    const place = at.child(name);
    if (!checkName(name, place)) continue;
    if (objects.has(`${kind} ${name}`)) {
      place.problem('stands twice.', 'Take one of the two out.');
    } else if (isObject(body)) {
      objects.set(`${kind} ${name}`, { kind, name, body: withAbsolutePaths(kind, body, place, folder) });
    } else {
      place.problem(`must be an object with fields, and is ${kindOf(body)}.`, 'Write its fields below it, indented.');
    }
  }
}

/** Whether an object may have the name; tells the problem if not. */
export function checkName(name: string, at: At): boolean {
  if (namePattern.test(name)) return true;
  at.problem(
    'is no name for an object.',
    'Use letters, digits, `_`, `-` and `.`, at most 100, beginning with a letter, digit or `_`.',
  );
  return false;
}

function withAbsolutePaths(kind: ObjectKind, body: JsonObject, at: At, folder: string | null): JsonObject {
  if (folder === null) return body;
  const changed = kindSpecs[kind].changeLeaves?.(body, at.path, (role, value) =>
    role === 'path' && typeof value === 'string' ? absolutePath(value, folder) : value,
  );
  return inEveryText(changed ?? body, (text) => absoluteReferences(text, folder)) as JsonObject;
}

/** A path that begins with a reference is left: what the reference gives must be absolute then. */
function absolutePath(text: string, folder: string): string {
  const [first] = parseReferences(text);
  return text === '' || first?.kind !== 'literal' || isAbsolute(text) ? text : resolve(folder, text);
}

function inEveryText(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value;
  if (Array.isArray(value)) return value.map((one) => inEveryText(one, change));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inEveryText(one, change)]));
}
