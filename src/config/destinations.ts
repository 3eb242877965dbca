/** The spec of a destination. */
import { DEFAULT_SPOOL_BYTES, type BrokerAddress, type DestinationConfig } from '../model/index.ts';
import { spool } from './spool.ts';
import { brokers, DEFAULT_PORT, hostName } from './brokers.ts';
import { ordering } from './ordering.ts';
import { kafkaProperties } from './kafka-properties/properties.ts';
import { presetName } from './presets.ts';
import { producer } from './producer.ts';
import { At, Report } from './report.ts';
import { protocol, securityOf } from './security.ts';
import { sasl } from './security-sasl.ts';
import { tls } from './security-tls.ts';
import { notYet, optional, required, type Spec } from './spec.ts';
import { anything, object, type FieldValues } from './spec-composites.ts';
import { flag, integer, text } from './spec-scalars.ts';
import { topics } from './topics.ts';

export const topicName = text({
  pattern:
    /^(?!\.{1,2}$|__(?:consumer_offsets|transaction_state|share_group_state|cluster_metadata)$)[A-Za-z0-9._-]{1,249}$/,
  shape: "a topic name (letters, digits, `.`, `_` and `-`, at most 249, none of Kafka's own)",
  example: 'orders',
});

const defaults = object(
  {
    topic: optional(anything(), 'The topic of syncs that name none; a mapping.', null),
    ordering: optional(ordering, 'The ordering of its syncs; `key` when left out.', null),
    operation_tags: notYet('Operations are named created, updated and deleted; leave it out.'),
    template: notYet('Write `payload` in each sync.'),
  },
  { description: 'What its syncs take when they say nothing.' },
);

const fields = {
  enabled: optional(flag(), 'Whether its syncs send.', true),
  brokers: optional(brokers, 'Addresses to begin with: a comma list or a list; `host` means `host:9092`.', null),
  host: optional(
    text({ shape: 'a host name', example: 'host: localhost' }),
    'Brokers of one port, in place of `brokers`: a name, or several with commas.',
    null,
  ),
  port: optional(portSpec(), 'The port of `host`, for all of them.', null),
  protocol: optional(protocol, 'How brokers are spoken to. Left out: as `sasl` and `tls` have it.', null),
  sasl: optional(sasl, 'How to log in.', null),
  tls: optional(tls, 'Encryption, and who is on either side.', null),
  client_id: optional(
    text({ shape: 'a client id', example: 'headrace' }),
    'The name that brokers see and log.',
    'headrace',
  ),
  test_topic: optional(topicName, 'Test Connection also produces one message here.', null),
  producer: optional(producer, 'How messages are sent.', null),
  topics: optional(topics, 'What to do about topics that are missing.', { create: false as const, maxComputed: 1000 }),
  spool: optional(
    spool,
    'Events that Kafka does not take at once go to the disk and are sent in order later: `max_bytes` (1 GiB), or `false`.',
    null,
  ),
  dead_letters: optional(
    object({
      topic: required(
        topicName,
        'A topic of the same cluster for rejected messages, byte for byte, with why in headers.',
      ),
    }),
    'Where rejected messages go. Left out: into the own state; `headrace dead-letters` lists them.',
    null,
  ),
  defaults: optional(defaults, 'What its syncs take when they say nothing.', null),
  kafka: optional(
    kafkaProperties,
    "Settings by the names of Kafka's own clients (Java's, librdkafka's): an object, or a pasted properties file.",
    null,
  ),
  preset: optional(presetName, "A vendor's defaults for fields that are left out.", null),
};

/** Everything of a destination but its name. */
export type DestinationBody = Omit<DestinationConfig, 'name'>;

export const destination: Spec<DestinationBody> = object(fields, {
  description: 'A Kafka cluster with its producer settings.',
  refine(values, at) {
    const addresses = addressesOf(values, at);
    const security = securityOf(values, at);
    if (addresses === undefined || security === undefined) return undefined;
    return {
      enabled: values.enabled,
      brokers: addresses,
      ...security,
      clientId: values.client_id,
      testTopic: values.test_topic,
      producer: values.producer ?? defaultProducer(),
      topics: values.topics,
      spool: values.spool ?? { maxBytes: DEFAULT_SPOOL_BYTES },
      deadLetters: values.dead_letters,
      defaults: { topic: values.defaults?.topic ?? null, ordering: values.defaults?.ordering ?? 'key' },
    };
  },
});

function addressesOf(values: FieldValues<typeof fields>, at: At): readonly BrokerAddress[] | undefined {
  const { host, port } = values;
  if (values.brokers !== null) {
    if (host === null && port === null) return values.brokers;
    const other = host === null ? 'port' : 'host';
    return at.child(other).problem('contradicts `brokers`.', 'Keep `brokers`, or `host` and `port`, not both.');
  }
  if (host === null && port !== null) return at.child('host').problem('is missing beside `port`.', 'Add `host`.');
  if (host === null) {
    return at.child('brokers').problem('is missing.', 'Add `brokers`, for example brokers: localhost:9092');
  }
  const names = host.split(',').map((one) => hostName(one.trim()));
  if (names.some((name) => name === null)) {
    return at
      .child('host')
      .problem('is no host name.', 'Write the name alone (several with commas), and one port for all under `port`.');
  }
  return names.map((name) => ({ host: name!, port: port ?? DEFAULT_PORT }));
}

/** RudderStack's form writes the port as text. */
function portSpec(): Spec<number> {
  const number = integer({ min: 1, max: 65_535 });
  return {
    schema: { anyOf: [number.schema, { type: 'string', pattern: '^[0-9]{1,5}$' }] },
    read: (value, at) => number.read(typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value, at),
  };
}

function defaultProducer(): DestinationConfig['producer'] {
  return producer.read({}, new At(new Report(), ''))!;
}
