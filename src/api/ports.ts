/** What the service needs of configuration: files and stored objects, planned, applied, resolved. */
import type { Configuration, WrittenObject } from '../model/index.ts';
import type { PlanAnswer } from './contract/service.ts';

export interface ObjectsPort {
  plan(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanAnswer>;
  /** Stores in one transaction what `plan` tells; throws HeadraceError when there are problems. */
  apply(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanAnswer>;
  /** The stored objects as written, secrets' values left out. */
  export(): Promise<readonly WrittenObject[]>;
  /** The stored objects (with those given laid over them) checked and resolved. Throws HeadraceError. */
  load(over?: readonly WrittenObject[]): Promise<Configuration>;
  /** Switches every object of that name on or off. Throws HeadraceError `not_found`. */
  setEnabled(name: string, enabled: boolean): Promise<void>;
}
