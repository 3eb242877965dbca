/** The reader: written objects to one frozen, checked configuration, and what a file would change. */
import { isRawNumber } from '../base/json.ts';
import { Secret } from '../base/secret.ts';
import {
  ConfigurationError,
  type Configuration,
  type JsonObject,
  type Problem,
  type WrittenObject,
} from '../model/index.ts';
import { planChanges, type Plan } from './plan.ts';
import { resolveReferences, type ReferenceSource } from './references.ts';
import { relate, type RoomChecks, type Sound } from './relations.ts';
import { At, Report } from './report.ts';
import type { Sealer } from './seal.ts';
import { keepSecrets, openSecrets, sealSecrets } from './secrets.ts';
import type { Spec } from './spec.ts';
import { kindSpecs, objectPath, readWritten, type TextInput, type WrittenText } from './written.ts';

export interface Checked {
  /** All objects without a problem, and without a problem in what they name. */
  readonly configuration: Configuration;
  readonly problems: readonly Problem[];
  /** Allowed, but weaker than it looks. */
  readonly warnings: readonly Problem[];
}

export interface Prepared extends Checked {
  readonly plan: Plan;
}

export interface ConfigReader {
  /** Text to objects as written; checks only that it has the shape of a configuration. */
  readText(input: TextInput): WrittenText;
  /** Resolves and checks objects, stored (sealed) or just read. */
  check(objects: readonly WrittenObject[]): Checked;
  /**
   * What applying a text to the stored objects would change, and what would then be there. `plan.put` is sealed, ready to
   * be stored; sealing makes the key file if there is none, so that is done only with `seal`. Throws ConfigurationError
   * with all problems that the text brings; problems that stored objects had before do not hold it up and are listed.
   */
  prepare(
    input: TextInput,
    stored: readonly WrittenObject[],
    options: { readonly prune: boolean; readonly seal: boolean },
  ): Prepared;
}

export interface ReaderOptions extends Partial<RoomChecks> {
  readonly references: ReferenceSource;
  readonly sealer: Sealer;
}

/** `checkMessage` is the check of the room of mappings; without it mappings pass unchecked. */
export function createConfigReader(options: ReaderOptions): ConfigReader {
  const checks: RoomChecks = { checkMessage: options.checkMessage ?? (() => []) };
  const check = (objects: readonly WrittenObject[]): Checked => checkObjects(objects, options, checks);
  return {
    readText: readWritten,
    check,
    prepare(input, stored, { prune, seal }) {
      const { objects, problems, places } = readWritten(input);
      if (problems.length > 0) throw new ConfigurationError(withPlaces(problems, places));
      const report = new Report();
      // A stored secret that cannot be opened any more is as good as none: the file's own takes its place.
      const opened = stored.map((object) => openSecrets(object, options.sealer, new Report()));
      const before = new Map(opened.map((object) => [objectPath(object.kind, object.name), object]));
      const file = objects.map((object) =>
        keepSecrets(object, before.get(objectPath(object.kind, object.name)), report),
      );
      if (report.problems.length > 0) throw new ConfigurationError(withPlaces(report.problems, places));

      const plan = planChanges(opened, file, { prune });
      const checked = check(plan.result);
      const known = new Set(check(stored).problems.map(identity));
      const named = new Set(objects.map(({ kind, name }) => objectPath(kind, name)));
      const fresh = checked.problems.filter((problem) => isOf(problem, named) || !known.has(identity(problem)));
      if (fresh.length > 0) throw new ConfigurationError(withPlaces(fresh, places));
      const put = seal ? plan.put.map((object) => sealSecrets(object, options.sealer)) : plan.put;
      return { ...checked, warnings: withPlaces(checked.warnings, places), plan: { ...plan, put } };
    },
  };
}

function checkObjects(objects: readonly WrittenObject[], options: ReaderOptions, checks: RoomChecks): Checked {
  const report = new Report();
  const soundOf = <T>(kind: WrittenObject['kind'], spec: Spec<T>): Sound<T>[] =>
    objects.filter((object) => object.kind === kind).flatMap((object) => readObject(object, spec, report, options));
  const namesOf = (kind: WrittenObject['kind']): Set<string> =>
    new Set(objects.filter((object) => object.kind === kind).map(({ name }) => name));
  const configuration = relate(
    {
      destinations: soundOf('destination', kindSpecs.destination),
      sources: soundOf('source', kindSpecs.source),
      syncs: soundOf('sync', kindSpecs.sync),
      names: { destinations: namesOf('destination'), sources: namesOf('source') },
    },
    checks,
    (problem) => report.tell(problem),
  );
  for (const part of Object.values(configuration)) for (const value of part.values()) deepFreeze(value);
  return { configuration: Object.freeze(configuration), problems: report.problems, warnings: report.warnings };
}

/** The object by its spec; none when it has a problem. */
function readObject<T>(object: WrittenObject, spec: Spec<T>, report: Report, options: ReaderOptions): Sound<T>[] {
  const at = new At(report, objectPath(object.kind, object.name));
  const before = at.problemCount;
  const opened = openSecrets(object, options.sealer, report);
  const resolved = resolveReferences(opened.body, at, report, options.references) as JsonObject;
  const body = spec.read(resolved, at);
  return body === undefined || at.problemCount > before ? [] : [{ name: object.name, at, body }];
}

/** Problems with the line and column of their path, or of the nearest thing around it. */
export function withPlaces(problems: readonly Problem[], places: ReadonlyMap<string, string>): Problem[] {
  return problems.map((problem) => {
    if (problem.place !== undefined) return problem;
    for (let path = problem.path; path !== ''; path = path.replace(/(?:^|\.|\[)[^.[]*$/, '')) {
      const place = places.get(path);
      if (place !== undefined) return { ...problem, place };
    }
    return problem;
  });
}

function isOf(problem: Problem, objectPaths: ReadonlySet<string>): boolean {
  for (const path of objectPaths) {
    if (problem.path === path || problem.path.startsWith(`${path}.`) || problem.path.startsWith(`${path}[`))
      return true;
  }
  return false;
}

function identity({ path, reason }: Problem): string {
  return `${path}\n${reason}`;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Secret || isRawNumber(value)) return;
  Object.freeze(value);
  for (const one of Object.values(value)) deepFreeze(one);
}
