/** Puts the properties of a Kafka client, pasted under `kafka`, into the fields of a destination. */
import type { JsonObject, JsonValue } from '../../model/index.ts';
import { isRawNumber } from '../../base/json.ts';
import { suggest } from '../../base/suggest.ts';
import { brokers } from '../brokers.ts';
import { At, Report } from '../report.ts';
import { mechanismOf } from '../security-sasl.ts';
import { isObject } from '../values.ts';
import { allNames, fieldNames, idleNames, isShownName, jointNames, knownHandler, levelOf } from './names.ts';
import { Pasted, printed, type Property } from './pasted.ts';
import { putLogin } from './login.ts';
import { hiddenPart, propertiesOf } from './properties.ts';
import { isEmpty, putEncryption } from './encryption.ts';

/**
 * The body, its references resolved, with what `kafka` says in the fields that say it; `kafka` itself stays. What is said
 * of such a field later is told at its property.
 */
export function fillFromProperties(body: JsonObject, at: At, report: Report): JsonObject {
  const written = body['kafka'];
  if (typeof written !== 'string' && !isObject(written)) return body;
  const properties = readAll(written, at.child('kafka'));
  const pasted = new Pasted(body, properties, at, report);
  for (const [name, property] of properties) putField(name, property, pasted);
  putBrokers(pasted);
  putEncryption(pasted);
  putLogin(pasted);
  tellPartitioner(pasted);
  return pasted.body;
}

function readAll(written: string | JsonObject, at: At): Map<string, Property> {
  const properties = new Map<string, Property>();
  const source = typeof written === 'string' ? propertiesOf(written) : written;
  const hidden = Object.entries(source).flatMap(([name, value]) => hiddenPart(name, value));
  if (hidden.length > 0) tellHidden(hidden, at);
  for (const [name, value] of Object.entries(source)) {
    if (!isShownName(name)) continue;
    const own = at.child(name);
    const text = textOf(value, own);
    if (text === null) continue;
    // The whole file comes through one reference: each reading takes the name out of it anew.
    const whole = at.reread;
    const fromFile = whole === null ? null : (): string | null => again(whole, name);
    properties.set(name, { name, text, at: own, reread: own.reread ?? fromFile });
  }
  return properties;
}

/** Promise 8: without the names, each of which may be a secret. */
function tellHidden(hidden: readonly [name: string, value: JsonValue][], at: At): void {
  if (hidden.some(([, value]) => isObject(value))) {
    at.problem('must hold text, a number or true or false under each name.', 'Write them as in a properties file.');
    return;
  }
  const meant = new Set(hidden.flatMap(([name]) => suggest(name, allNames) ?? []));
  const several = `${hidden.length} lines that are no property of a client, and have no effect; they are not shown, since they may hold secrets.`;
  at.warning(
    hidden.length === 1
      ? 'has a line that is no property of a client, and has no effect; it is not shown, since it may hold a secret.'
      : `has ${several}`,
    meant.size === 0
      ? 'Take it out, or write it behind the name that it belongs to: name=value.'
      : `Did you mean ${[...meant].map((name) => `\`${name}\``).join(', ')}?`,
  );
}

function again(whole: () => string | null, name: string): string | null {
  const text = whole();
  const value = text === null ? undefined : propertiesOf(text)[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function textOf(value: JsonValue, at: At): string | null {
  if (typeof value === 'string') return value;
  if (isRawNumber(value)) return value.rawJSON;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value) && value.length > 1 && value.every((one) => typeof one === 'string')) {
    at.problem('stands more than once, with different values.', 'Keep one.');
  } else {
    at.problem('must be text, a number or true or false.', `Write it as in a properties file.`);
  }
  return null;
}

function putField(name: string, property: Property, pasted: Pasted): void {
  if (Object.hasOwn(fieldNames, name)) {
    const { field, read } = fieldNames[name]!;
    if (isEmpty(property)) return;
    const codec = levelOf[name];
    const chosen = pasted.get('compression.type')?.text ?? pasted.value(['producer', 'compression']);
    if (codec !== undefined && codec !== chosen)
      return property.at.warning(`has no effect without compression.type=${codec}.`, 'Take it out.');
    const value = read?.(property.text) ?? property.text;
    return pasted.put(field, value, property, { fold: foldOf(field.at(-1)!) });
  }
  if ((jointNames as readonly string[]).includes(name)) return;
  if (Object.hasOwn(idleNames, name)) {
    if (knownHandler.test(property.text)) return;
    return property.at.warning('has no effect here.', `${idleNames[name]!} Take it out.`);
  }
  const near = suggest(name, allNames);
  property.at.warning(
    'is no name that is known here, and has no effect.',
    near === null ? 'Take it out, or look for the field that does what it says.' : `Did you mean \`${near}\`?`,
  );
}

/** Names of protocols and mechanisms are the same in any spelling. */
function foldOf(field: string): (value: JsonValue) => string {
  if (field === 'mechanism') return (value) => mechanismOf(printed(value)) ?? printed(value);
  // Kafka's clients write -1 for all.
  if (field === 'acks') return (value) => (printed(value) === '-1' ? 'all' : printed(value));
  if (field === 'protocol') return (value) => printed(value).toLowerCase().replaceAll(/[\s-]/g, '_');
  return printed;
}

/** Java's clients take `SASL_SSL://host:port` too. */
function putBrokers(pasted: Pasted): void {
  for (const name of ['bootstrap.servers', 'metadata.broker.list']) {
    const property = pasted.get(name);
    if (property === undefined) continue;
    const addresses: string[] = [];
    for (const one of property.text.split(',')) {
      const [, scheme, address] = /^\s*(?:([A-Za-z_]+):\/\/)?([^]*)$/.exec(one)!;
      if (scheme !== undefined) pasted.put(['protocol'], scheme, property, { reread: null, fold: foldOf('protocol') });
      if (address!.trim() !== '') addresses.push(address!.trim());
    }
    if (pasted.value(['brokers']) === undefined && pasted.value(['host']) !== undefined) {
      property.at.problem('contradicts `host`, which is written beside `kafka`.', 'Keep one of the two.');
    } else pasted.put(['brokers'], addresses.join(','), property, { reread: null, fold: foldBrokers });
  }
}

function foldBrokers(value: JsonValue): string {
  return JSON.stringify(brokers.read(value, new At(new Report(), '')) ?? value);
}

const sameAsOurs = /^(?:|default|murmur2|murmur2_random|sticky|.*\.DefaultPartitioner)$/;
/** They ignore keys. */
const keyless = /\.(?:UniformSticky|RoundRobin)Partitioner$|^random$/;

/** Which partition a key goes to is said by each sync. */
function tellPartitioner(pasted: Pasted): void {
  for (const name of ['partitioner', 'partitioner.class']) {
    const property = pasted.get(name);
    if (property === undefined || sameAsOurs.test(property.text)) continue;
    const ours = {
      consistent: 'crc32',
      consistent_random: 'crc32',
      fnv1a: 'fnv1a_librdkafka',
      fnv1a_random: 'fnv1a_librdkafka',
    };
    const found = Object.hasOwn(ours, property.text) ? ours[property.text as keyof typeof ours] : null;
    if (keyless.test(property.text)) {
      property.at.warning(
        'has no effect here: it ignores keys, and a message with a key goes where its key says.',
        'Leave `key` out of the messages, or write `partition` or `default_partition` in the syncs.',
      );
      continue;
    }
    property.at.warning(
      'has no effect here: each sync says where its keys go.',
      found === null ? 'Write `partitioner` in the syncs.' : `Write \`partitioner: ${found}\` in the syncs.`,
    );
  }
}
