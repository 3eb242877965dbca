/** The stored objects as a whole: planned, applied, exported, loaded. The store is handed in. */
import { suggest } from '../base/suggest.ts';
import {
  ConfigurationError,
  HeadraceError,
  problemText,
  type Configuration,
  type ObjectKind,
  type Problem,
  type WrittenObject,
} from '../model/index.ts';
import type { ConfigReader, Planned } from './reader.ts';
import { hideSecrets } from './secrets.ts';

/** The part of the store that holds objects. */
export interface ObjectsStore {
  list(): Promise<readonly WrittenObject[]>;
  generation(): Promise<number>;
  apply(
    changes: {
      readonly put: readonly WrittenObject[];
      readonly remove: readonly { readonly kind: ObjectKind; readonly name: string }[];
    },
    basedOn?: number,
  ): Promise<number>;
}

export interface PlanSummary {
  readonly changes: readonly {
    readonly kind: ObjectKind;
    readonly name: string;
    readonly change: 'create' | 'update' | 'delete' | 'unchanged';
    /** Paths of the fields that an update changes, never their values. */
    readonly fields: readonly string[];
  }[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export interface Objects {
  /** What `apply` would do; stores nothing, makes no key. */
  plan(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanSummary>;
  /**
   * Stores all or nothing. Throws ConfigurationError with every problem; HeadraceError `conflict` when someone else applied
   * meanwhile.
   */
  apply(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanSummary>;
  /** All stored objects as written, secrets' values left out. */
  export(): Promise<readonly WrittenObject[]>;
  /**
   * The stored objects checked and resolved, with those given laid over them. Throws ConfigurationError for a problem of
   * the given ones; a stored object with a problem is left out, and told in `Configuration.problems`.
   */
  load(over?: readonly WrittenObject[]): Promise<Configuration>;
  /** Switches every object of that name on or off. Throws HeadraceError `not_found`. */
  setEnabled(name: string, enabled: boolean): Promise<void>;
}

export function createObjects(reader: ConfigReader, store: ObjectsStore): Objects {
  return {
    async plan(objects, options) {
      return summaryOf(reader.plan(objects, await store.list(), options));
    },

    async apply(objects, options) {
      // The generation first: what is stored after it was read makes the store refuse.
      const generation = await store.generation();
      const planned = reader.plan(objects, await store.list(), options);
      if (planned.problems.length > 0) throw new ConfigurationError(planned.problems);
      const { put, remove } = planned.plan;
      if (put.length + remove.length > 0) {
        await store.apply({ put: put.map((object) => reader.seal(object)), remove }, generation);
      }
      return summaryOf(planned);
    },

    export: async () => (await store.list()).map(hideSecrets),

    async load(over = []) {
      const stored = await store.list();
      if (over.length === 0) return reader.check(stored).configuration;
      const { configuration, problems } = reader.plan(over, stored, { prune: false });
      if (problems.length > 0) throw new ConfigurationError(problems);
      return configuration;
    },

    async setEnabled(name, enabled) {
      const generation = await store.generation();
      const stored = await store.list();
      const named = stored.filter((object) => object.name === name);
      if (named.length === 0) throw unknownName(name, stored);
      const put = named.map(({ kind, body }): WrittenObject => ({ kind, name, body: { ...body, enabled } }));
      await store.apply({ put, remove: [] }, generation);
    },
  };
}

function summaryOf({ plan, problems, warnings }: Planned): PlanSummary {
  const changes = plan.changes.flatMap(({ action, kind, name, fields }) =>
    action === 'kept' ? [] : [{ kind, name, change: action, fields }],
  );
  return { changes, problems, warnings: warnings.map(problemText) };
}

function unknownName(name: string, stored: readonly WrittenObject[]): HeadraceError {
  const names = stored.map((object) => object.name);
  const near = suggest(name, names);
  const remedy = near === null ? `There are: ${names.join(', ') || 'none'}.` : `Did you mean ${near}?`;
  return new HeadraceError('not_found', `There is no object ${name}.`, { remedy });
}
