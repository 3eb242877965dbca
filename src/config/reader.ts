/** The reader: written objects to one frozen, checked configuration, and what a file would change. */
import { isRawNumber } from '../base/json.ts';
import { Secret } from '../base/secret.ts';
import {
  problemText,
  type Configuration,
  type JsonObject,
  type Preset,
  type Presets,
  type Problem,
  type WrittenObject,
} from '../model/index.ts';
import { fillFromProperties } from './kafka-properties/translate.ts';
import { planChanges, type Plan } from './plan.ts';
import { resolveReferences, type ReferenceSource } from './references.ts';
import { fillDestination } from './presets.ts';
import { relate, type RoomFacts, type Sound } from './relations.ts';
import { At, Report } from './report.ts';
import type { Sealer } from './seal.ts';
import { keepSecrets, openSecrets, sealSecrets } from './secrets.ts';
import type { Spec } from './spec.ts';
import { checkName, kindSpecs, objectPath } from './written.ts';

export interface Checked {
  /** All objects without a problem, and without a problem in what they name. */
  readonly configuration: Configuration;
  readonly problems: readonly Problem[];
  /** Allowed, but weaker than it looks. */
  readonly warnings: readonly Problem[];
}

/** What applying objects would change. */
export interface Planned {
  readonly plan: Plan;
  /** Empty: it can be applied. Problems that stored objects had before, and still have, do not count. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What would be there afterwards; objects with problems are left out. */
  readonly configuration: Configuration;
}

export interface ConfigReader {
  /** Resolves and checks objects, stored (sealed) or just read. */
  check(objects: readonly WrittenObject[]): Checked;
  /** Compares objects with the stored ones and checks what would be there. What is to be put is not sealed yet. */
  plan(
    objects: readonly WrittenObject[],
    stored: readonly WrittenObject[],
    options: { readonly prune: boolean },
  ): Planned;
  /** Seals the secrets that are given in plain; the first makes the key file if there is none. */
  seal(object: WrittenObject): WrittenObject;
}

export interface ReaderOptions extends Partial<RoomFacts> {
  readonly references: ReferenceSource;
  readonly sealer: Sealer;
}

/** Checks and presets are those of the room of mappings; without them mappings and triggers pass unchecked, and presets are empty. */
export function createConfigReader(options: ReaderOptions): ConfigReader {
  const rooms: RoomFacts = {
    checkMessage: options.checkMessage ?? (() => []),
    checkTrigger: options.checkTrigger ?? (() => []),
    lintSync: options.lintSync ?? (() => []),
    presets: options.presets ?? noPresets,
  };
  const check = (objects: readonly WrittenObject[]): Checked => checkObjects(objects, options, rooms);
  return {
    check,
    plan: (objects, stored, { prune }) => planObjects(objects, stored, prune, options.sealer, check),
    seal: (object) => sealSecrets(object, options.sealer),
  };
}

const noPreset: Preset = { records: null, sync: { message: {} }, destination: {} };
const noPresets: Presets = {
  census: noPreset,
  segment: noPreset,
  rudderstack: noPreset,
  airbyte: noPreset,
  cinchy: noPreset,
};

function planObjects(
  objects: readonly WrittenObject[],
  stored: readonly WrittenObject[],
  prune: boolean,
  sealer: Sealer,
  check: ConfigReader['check'],
): Planned {
  const report = new Report();
  // A stored secret that cannot be opened any more is as good as none: the new one takes its place.
  const opened = stored.map((object) => openSecrets(object, sealer, new Report()));
  const before = new Map(opened.map((object) => [pathOf(object), object]));
  checkNames(objects, report);
  const kept = objects.map((object) => keepSecrets(object, before.get(pathOf(object)), report));
  const plan = planChanges(opened, kept, { prune });
  const { configuration, problems, warnings } = check(plan.result);

  const known = new Set(check(stored).problems.map(identity));
  const named = objects.map(pathOf);
  const fresh = problems.filter((problem) => isOfAny(problem, named) || !known.has(identity(problem)));
  // What a placeholder stands for is unknown, so nothing else is said about it.
  const placeholders = new Set(report.problems.map(({ path }) => path));
  const others = fresh.filter(({ path }) => !placeholders.has(path));
  return { plan, configuration, problems: [...report.problems, ...others], warnings };
}

function checkNames(objects: readonly WrittenObject[], report: Report): void {
  const seen = new Set<string>();
  for (const object of objects) {
    const at = new At(report, pathOf(object));
    if (checkName(object.name, at) && seen.has(at.path)) at.problem('stands twice.', 'Take one of the two out.');
    seen.add(at.path);
  }
}

function checkObjects(objects: readonly WrittenObject[], options: ReaderOptions, rooms: RoomFacts): Checked {
  const report = new Report();
  const soundOf = <T>(kind: WrittenObject['kind'], spec: Spec<T>): Sound<T>[] =>
    objects
      .filter((object) => object.kind === kind)
      .flatMap((object) => readObject(object, spec, report, options, rooms));
  const namesOf = (kind: WrittenObject['kind']): Set<string> =>
    new Set(objects.filter((object) => object.kind === kind).map(({ name }) => name));
  const configuration = relate(
    {
      destinations: soundOf('destination', kindSpecs.destination),
      sources: soundOf('source', kindSpecs.source),
      syncs: soundOf('sync', kindSpecs.sync),
      names: { destinations: namesOf('destination'), sources: namesOf('source') },
    },
    rooms,
    (problem) => report.tell(problem),
  );
  const { destinations, sources, syncs } = configuration;
  for (const part of [destinations, sources, syncs]) for (const value of part.values()) deepFreeze(value);
  const { problems, warnings } = report;
  const unusable = unusableSyncs(objects, syncs, problems);
  return { configuration: Object.freeze({ ...configuration, problems, unusable }), problems, warnings };
}

/** Syncs that somebody wants to work and that cannot: events for them must not be taken as if there were none. */
function unusableSyncs(
  objects: readonly WrittenObject[],
  sound: ReadonlyMap<string, unknown>,
  problems: readonly Problem[],
): NonNullable<Configuration['unusable']> {
  const left = objects.filter(
    ({ kind, name, body }) => kind === 'sync' && !sound.has(name) && body['enabled'] !== false,
  );
  return left.flatMap((object) => {
    const { source, destination } = object.body;
    if (typeof source !== 'string') return [];
    const named = typeof destination === 'string' ? [objectPath('destination', destination)] : [];
    const paths = [pathOf(object), ...named, objectPath('source', source)];
    const problem = problems.find((one) => isOfAny(one, paths));
    return [{ sync: object.name, source, reason: problem === undefined ? 'it has a problem' : problemText(problem) }];
  });
}

/** The object by its spec; none when it has a problem. */
function readObject<T>(
  object: WrittenObject,
  spec: Spec<T>,
  report: Report,
  options: ReaderOptions,
  { presets }: RoomFacts,
): Sound<T>[] {
  const at = new At(report, pathOf(object));
  const before = at.problemCount;
  const opened = openSecrets(object, options.sealer, report);
  const resolved = resolveReferences(opened.body, at, report, options.references) as JsonObject;
  const filled =
    object.kind === 'destination' ? fillDestination(fillFromProperties(resolved, at, report), presets) : resolved;
  const body = spec.read(filled, at);
  return body === undefined || at.problemCount > before ? [] : [{ name: object.name, at, body }];
}

function isOfAny({ path }: Problem, objectPaths: readonly string[]): boolean {
  return objectPaths.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
}

function pathOf({ kind, name }: WrittenObject): string {
  return objectPath(kind, name);
}

function identity({ path, reason }: Problem): string {
  return `${path}\n${reason}`;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Secret || isRawNumber(value)) return;
  Object.freeze(value);
  for (const one of Object.values(value)) deepFreeze(one);
}
