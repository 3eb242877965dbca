/** What objects say together: from objects that are each sound to one configuration. */
import type {
  Configuration,
  DestinationConfig,
  EventsSourceConfig,
  MessageConfig,
  Presets,
  Problem,
  SourceConfig,
  SyncConfig,
} from '../model/index.ts';
import { suggest } from '../base/suggest.ts';
import type { DestinationBody } from './destinations.ts';
import { fillSync } from './presets.ts';
import type { At } from './report.ts';
import type { EventsSourceBody, SourceBody } from './sources.ts';
import type { SyncBody } from './syncs.ts';

export interface Sound<T> {
  readonly name: string;
  readonly at: At;
  readonly body: T;
}

/** Objects that passed their own checks, and the names of all, sound or not. */
export interface SoundObjects {
  readonly destinations: readonly Sound<DestinationBody>[];
  readonly sources: readonly Sound<SourceBody>[];
  readonly syncs: readonly Sound<SyncBody>[];
  readonly names: { readonly destinations: ReadonlySet<string>; readonly sources: ReadonlySet<string> };
}

/** Checks of other rooms. */
export interface RoomChecks {
  /** What the mappings of a message say; `kind` is what the records are. */
  checkMessage(message: MessageConfig, path: string, kind: 'rows' | 'events'): readonly Problem[];
  /** Whether the text of a trigger is one. */
  checkTrigger(trigger: string, path: string): readonly Problem[];
  /** What in a sound sync is allowed and probably not meant; the path from the sync. */
  lintSync(trigger: string | null, message: MessageConfig, kind: 'rows' | 'events'): readonly SyncLint[];
}

export interface SyncLint {
  readonly path: readonly (string | number)[];
  readonly reason: string;
  readonly remedy: string;
}

/** What other rooms know, for the configuration to use. */
export interface RoomFacts extends RoomChecks {
  readonly presets: Presets;
}

/** The configuration of all objects without a problem. Problems are told at each object's place. */
export function relate(objects: SoundObjects, rooms: RoomFacts, tell: (problem: Problem) => void): Configuration {
  const sources = readSources(objects.sources);
  const bounds = new Map(objects.sources.map(({ name, body }) => [name, maxSyncsOf(body)]));
  const destinations = new Map<string, DestinationConfig>();
  for (const { name, at, body } of objects.destinations) {
    const { topic } = body.defaults;
    const wrong = topic === null ? [] : rooms.checkMessage({ topic }, at.child('defaults').path, 'rows');
    for (const problem of wrong) tell(problem);
    if (wrong.length === 0) destinations.set(name, { name, ...body });
  }

  const syncs = new Map<string, SyncConfig>();
  const perPair = new Map<string, number>();
  for (const written of objects.syncs) {
    if (!namesExist(written, objects.names)) continue;
    const source = sources.get(written.body.source);
    const destination = destinations.get(written.body.destination);
    if (source === undefined || destination === undefined) continue;
    const sync = withPreset(written, source, destination, rooms.presets);
    if (sync === null) continue;
    const before = sync.at.problemCount;
    checkSync(sync, source, destination);
    const { message, trigger } = sync.body;
    const wrong = [
      ...rooms.checkMessage(message, sync.at.child('message').path, kindOf(source)),
      ...(trigger === null ? [] : rooms.checkTrigger(trigger, sync.at.child('trigger').path)),
    ];
    for (const problem of wrong) tell(problem);
    countPair(sync, bounds.get(source.name) ?? Infinity, perPair);
    if (sync.at.problemCount > before) continue;
    for (const { path, reason, remedy } of rooms.lintSync(trigger, message, kindOf(source))) {
      const at = path.reduce<At>((outer, step) => outer.child(step), sync.at);
      // Promise 8: a lint quotes the text, and this one may be a secret.
      if (!at.isReferenced) at.warning(reason, remedy);
    }
    syncs.set(sync.name, finish(sync, source, destination));
  }
  return { destinations, sources, syncs };
}

function readSources(sound: readonly Sound<SourceBody>[]): Map<string, SourceConfig> {
  const sources = new Map<string, SourceConfig>();
  const byWriteKey = new Map<string, string>();
  for (const { name, at, body } of sound) {
    if (body.type === 'files') {
      sources.set(name, { name, ...body });
      continue;
    }
    const writeKey = body.writeKey.reveal();
    const other = byWriteKey.get(writeKey);
    byWriteKey.set(writeKey, other ?? name);
    if (other === undefined) sources.set(name, eventsSource(name, body));
    else
      at.child('write_key').problem(
        `is the same as that of the source ${other}.`,
        'Give each source a key of its own.',
      );
  }
  return sources;
}

function eventsSource(name: string, body: EventsSourceBody): EventsSourceConfig {
  const { maxSyncs: _checkedHere, ...config } = body;
  return { name, ...config };
}

function maxSyncsOf(body: SourceBody): number {
  return body.type === 'events' ? body.maxSyncs : Infinity;
}

function kindOf(source: SourceConfig): 'rows' | 'events' {
  return source.type === 'events' ? 'events' : 'rows';
}

function namesExist({ at, body }: Sound<SyncBody>, names: SoundObjects['names']): boolean {
  const source = nameExists(body.source, 'source', names.sources, at.child('source'));
  return nameExists(body.destination, 'destination', names.destinations, at.child('destination')) && source;
}

function nameExists(name: string, kind: string, names: ReadonlySet<string>, at: At): boolean {
  if (names.has(name)) return true;
  const near = suggest(name, names);
  const known = names.size === 0 ? `There is no ${kind} yet: add one.` : `There are: ${[...names].join(', ')}.`;
  at.problem(
    `names the ${kind} ${JSON.stringify(name)}, which does not exist.`,
    near === null ? known : `Did you mean ${near}?`,
  );
  return false;
}

function checkSync({ at, body }: Sound<SyncBody>, source: SourceConfig, destination: DestinationConfig): void {
  if (source.type === 'events') checkEventSync(body, at, source.name);
  else checkTableSync(body, at, source.name);
  if (body.message.topic === undefined && destination.defaults.topic === null) {
    at.child('message')
      .child('topic')
      .problem(
        `is missing, and the destination ${destination.name} has no default.`,
        'Add `topic: …` to the message, or `defaults: {topic: …}` to the destination.',
      );
  }
  const { bytes, messages } = body.batch;
  const { batchBytes, batchMessages } = destination.producer;
  checkSmaller(at.child('batch').child('bytes'), bytes, batchBytes, 'batch_bytes', destination.name);
  checkSmaller(at.child('batch').child('messages'), messages, batchMessages, 'batch_messages', destination.name);
}

function checkSmaller(at: At, value: number | null, limit: number, field: string, destination: string): void {
  if (value === null || value <= limit) return;
  at.problem(
    `is ${value}, more than ${field} of the destination ${destination} (${limit}).`,
    `A sync may only cut its batches smaller: lower it, or raise ${field}.`,
  );
}

function checkEventSync(body: SyncBody, at: At, source: string): void {
  const reason = `is for table syncs, and the source ${source} gives events.`;
  if (body.read !== null) at.child('read').problem(reason, 'Take it out; `types` chooses events.');
  if (body.behaviour !== null) at.child('behaviour').problem(reason, 'Take it out.');
}

function checkTableSync(body: SyncBody, at: At, source: string): void {
  if (body.read === null) {
    at.child('read').problem(`is missing, and the source ${source} holds files.`, 'Add `read: {file: orders.csv}`.');
  }
  if (body.types !== null) {
    at.child('types').problem(
      `is for event syncs, and the source ${source} holds files.`,
      'Take it out; types of columns are written as `read: {types: …}`.',
    );
  }
}

function countPair({ at, body }: Sound<SyncBody>, bound: number, perPair: Map<string, number>): void {
  const pair = JSON.stringify([body.source, body.destination]);
  const count = (perPair.get(pair) ?? 0) + 1;
  perPair.set(pair, count);
  if (count <= bound) return;
  at.problem(
    `is sync number ${count} from ${body.source} to ${body.destination}, and ${bound} are allowed.`,
    'Join syncs that are alike, or raise `max_syncs` of the source.',
  );
}

/** Null when the preset is for other records; told. */
function withPreset(
  sync: Sound<SyncBody>,
  source: SourceConfig,
  destination: DestinationConfig,
  presets: Presets,
): Sound<SyncBody> | null {
  const name = sync.body.preset;
  if (name === null) return sync;
  const preset = presets[name];
  if (preset.records === null || preset.records === kindOf(source))
    return { ...sync, body: fillSync(sync.body, preset, destination.defaults.topic) };
  const [wanted, given] = preset.records === 'events' ? ['event', 'files'] : ['table', 'events'];
  const reason = `is ${name}, which is for ${wanted} syncs, and the source ${source.name} gives ${given}.`;
  sync.at.child('preset').problem(reason, 'Take it out, and write the fields of `message` themselves.');
  return null;
}

function finish({ name, body }: Sound<SyncBody>, source: SourceConfig, destination: DestinationConfig): SyncConfig {
  const { preset: _filledIn, partitioner, ...config } = body;
  return {
    name,
    ...config,
    partitioner: partitioner ?? 'murmur2',
    ordering: body.ordering ?? destination.defaults.ordering ?? 'key',
    behaviour: source.type === 'events' ? null : 'send',
  };
}
