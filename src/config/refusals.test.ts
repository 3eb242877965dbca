/** Bad configurations, each with the path, the reason and the remedy that it must be answered with (Promise 10). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigurationError, type ErrorCode } from '../model/index.ts';
import { readEnvironment } from './environment.ts';
import { createConfigReader } from './reader.ts';
import { createSealer } from './seal.ts';
import { readText } from './written.ts';

interface Case {
  readonly text: string;
  readonly path: string;
  readonly reason: RegExp;
  readonly remedy: RegExp;
  readonly code?: ErrorCode;
}

const environment = readEnvironment({
  WEB_KEY: 'web-key',
  PASSWORD: 'hunter2hunter2',
  WORD: 'hunter2',
  EMPTY: '',
  HEADRACE_TOKEN: 'hunter2token',
});
const dataFolder = mkdtempSync(join(tmpdir(), 'headrace-refusals-'));
const sealer = createSealer({ dataFolder, secretKey: null });
after(() => rmSync(dataFolder, { recursive: true }));
const reader = createConfigReader({ references: environment.references, sealer });

/** A sound configuration with one thing changed: more or other fields of one object. */
function events(fields: string): string {
  return file({ website: fields });
}
function destination(fields: string): string {
  return file({ main: fields });
}
function producer(fields: string): string {
  return destination(`brokers: localhost\n    producer: {${fields}}`);
}
function eventSync(fields: string): string {
  return file({ tracks: `source: website\n    destination: main\n    ${fields}` });
}
function tableSync(fields: string): string {
  return file({ rows: `source: lake\n    destination: main\n    ${fields}` });
}
function file(objects: { main?: string; website?: string; lake?: string; tracks?: string; rows?: string }): string {
  const sync = objects.tracks === undefined ? '' : `\n  tracks:\n    ${objects.tracks}`;
  const rows = objects.rows === undefined ? '' : `\n  rows:\n    ${objects.rows}`;
  return `destinations:
  main:
    ${objects.main ?? 'brokers: localhost'}
sources:
  website:
    ${objects.website ?? 'type: events\n    write_key: "${WEB_KEY}"'}
  lake:
    ${objects.lake ?? 'type: files\n    path: exports'}
syncs:${sync}${rows}
`;
}

const topic = 'message: {topic: web}';
const notYet = { reason: /not yet supported/, code: 'not_yet' } as const;

// One line a case.
// prettier-ignore
const cases: Record<string, Case> = {
  // the text itself
  'empty text': { text: '# nothing\n', path: 'test.yaml', reason: /holds no configuration/, remedy: /destinations:/ },
  'a list': { text: '- a', path: 'the file', reason: /must hold the sections/, remedy: /destinations:/ },
  'bad indentation': { text: 'destinations:\n  main:\n brokers: x', path: 'test.yaml', reason: /no valid YAML/, remedy: /indentation/ },
  'a tab': { text: 'destinations:\n\tmain: {}', path: 'test.yaml', reason: /no valid YAML.*[Tt]ab/, remedy: /spaces, not tabs/ },
  'a key twice': { text: 'destinations: {}\ndestinations: {}', path: 'test.yaml', reason: /unique/, remedy: /take one of the two out/ },
  'a tag': { text: 'destinations: !!js/function "x"', path: 'test.yaml', reason: /tag/, remedy: /Tags .* are not taken/ },
  'an unquoted reference in braces': { text: 'sources: {a: {type: events, write_key: ${X}}}', path: 'test.yaml', reason: /no valid YAML/, remedy: /in quotes/ },
  'an unquoted directive': { text: 'syncs:\n  a:\n    message:\n      topic: @path', path: 'test.yaml', reason: /no valid YAML/, remedy: /begins with @ in quotes/ },
  'an alias of nothing': { text: 'destinations: *other', path: 'test.yaml', reason: /[aA]lias/, remedy: /./ },
  // a password that YAML takes for its own: nothing of it is quoted
  'a password that begins with !': { text: destination('brokers: a\n    sasl: {mechanism: plain, username: u, password: !hunter2}'), path: 'test.yaml', reason: /no valid YAML: Unresolved tag, or text that begins with !/, remedy: /in quotes/ },
  'a password that begins with |': { text: destination('brokers: a\n    sasl:\n      password: |hunter2'), path: 'test.yaml', reason: /no valid YAML: Block scalar header includes extra characters\./, remedy: /quotes/ },
  'a password that begins with }': { text: destination('brokers: a\n    sasl:\n      password: } hunter2'), path: 'test.yaml', reason: /no valid YAML: Unexpected [a-z -]* token/, remedy: /quotes/ },
  'a login as text': { text: destination('brokers: a\n    sasl: PlainLoginModule required password="hunter2";'), path: 'destinations.main.sasl', reason: /and is text\./, remedy: /mechanism/ },
  'a key as text': { text: destination('brokers: a\n    tls: hunter2'), path: 'destinations.main.tls', reason: /and is text\./, remedy: /key/ },
  'a destination as text': { text: destination('sasl.password=hunter2'), path: 'destinations.main', reason: /and is text\./, remedy: /indented/ },
  // sections and names
  'a near miss of a section': { text: 'destination: {}', path: 'destination', reason: /no section/, remedy: /`destinations`/ },
  'an unknown section': { text: 'pipelines: {}', path: 'pipelines', reason: /no section/, remedy: /destinations, sources, syncs/ },
  'a section that is a list': { text: 'sources: [a]', path: 'sources', reason: /is a list/, remedy: /name of the source/ },
  'an object that is text': { text: 'sources: {a: events}', path: 'sources.a', reason: /must be an object.*is text\./, remedy: /indented/ },
  'a name with a space': { text: 'sources: {"my site": {}}', path: 'sources["my site"]', reason: /no name/, remedy: /letters, digits/ },
  'an object in two documents': { text: 'sources: {a: {type: files, path: x}}\n---\nsources: {a: {type: files, path: y}}', path: 'sources.a', reason: /twice/, remedy: /take one|Take one/ },
  // destinations
  'a near miss of a field that must be': { text: events('type: events\n    writekey: x'), path: 'sources.website.writekey', reason: /not a field/, remedy: /`write_key`/ },
  'no brokers': { text: destination('enabled: true'), path: 'destinations.main.brokers', reason: /missing/, remedy: /localhost:9092/ },
  'a near miss of a field': { text: destination('brokers: localhost\n    clientid: x'), path: 'destinations.main.clientid', reason: /not a field/, remedy: /`client_id`/ },
  'an unknown field': { text: destination('brokers: localhost\n    colour: red'), path: 'destinations.main.colour', reason: /not a field/, remedy: /Known here: .*brokers/ },
  'brokers that are a number': { text: destination('brokers: 9092'), path: 'destinations.main.brokers', reason: /number 9092/, remedy: /For example/ },
  'brokers with a scheme': { text: destination('brokers: kafka://a:9092'), path: 'destinations.main.brokers', reason: /scheme/, remedy: /host:port/ },
  'brokers with a comma too many': { text: destination('brokers: "a:9092,"'), path: 'destinations.main.brokers', reason: /empty address/, remedy: /comma/ },
  'a broker port out of range': { text: destination('brokers: a:99999'), path: 'destinations.main.brokers', reason: /1 to 65535/, remedy: /For example/ },
  'a bare IPv6 address': { text: destination('brokers: ["::1"]'), path: 'destinations.main.brokers[0]', reason: /no host:port/, remedy: /\[::1\]:9092/ },
  'no broker in the list': { text: destination('brokers: []'), path: 'destinations.main.brokers', reason: /empty list/, remedy: /For example/ },
  'brokers and host': { text: destination('brokers: a\n    host: b'), path: 'destinations.main.host', reason: /contradicts `brokers`/, remedy: /not both/ },
  'a port without host': { text: destination('port: 9092'), path: 'destinations.main.host', reason: /missing/, remedy: /Add `host`/ },
  'a host with its port': { text: destination('host: "a:9092"'), path: 'destinations.main.host', reason: /no host name/, remedy: /under `port`/ },
  'an unknown protocol': { text: destination('brokers: a\n    protocol: plaintxt'), path: 'destinations.main.protocol', reason: /"plaintxt"/, remedy: /Did you mean plaintext/ },
  'tls beside plaintext': { text: destination('brokers: a\n    protocol: plaintext\n    tls: {}'), path: 'destinations.main.tls', reason: /contradicts `protocol: plaintext`/, remedy: /protocol: ssl/ },
  'sasl beside ssl': { text: destination('brokers: a\n    protocol: SSL\n    sasl: {mechanism: plain, username: u, password: p}'), path: 'destinations.main.sasl', reason: /contradicts `protocol: ssl`/, remedy: /protocol: sasl_ssl/ },
  'sasl_ssl without sasl': { text: destination('brokers: a\n    protocol: sasl-ssl'), path: 'destinations.main.sasl', reason: /missing beside `protocol: sasl_ssl`/, remedy: /Add `sasl`/ },
  'sasl without a mechanism': { text: destination('brokers: a\n    sasl: {username: u}'), path: 'destinations.main.sasl.mechanism', reason: /missing/, remedy: /scram-sha-512/ },
  'an unknown mechanism': { text: destination('brokers: a\n    sasl: {mechanism: md5}'), path: 'destinations.main.sasl.mechanism', reason: /"md5"/, remedy: /plain, scram-sha-256/ },
  kerberos: { text: destination('brokers: a\n    sasl: {mechanism: GSSAPI}'), path: 'destinations.main.sasl.mechanism', reason: /GSSAPI/, remedy: /Kerberos is not supported/ },
  'plain without a password': { text: destination('brokers: a\n    sasl: {mechanism: plain, username: u}'), path: 'destinations.main.sasl.password', reason: /missing/, remedy: /password/ },
  'a field of another mechanism': { text: destination('brokers: a\n    sasl: {mechanism: plain, username: u, password: p, region: eu-west-1}'), path: 'destinations.main.sasl.region', reason: /not a field/, remedy: /username/ },
  'oauthbearer with nothing': { text: destination('brokers: a\n    sasl: {mechanism: oauthbearer}'), path: 'destinations.main.sasl.oidc', reason: /missing/, remedy: /token, token_file, unsecured or oidc/ },
  'two ways to a token': { text: destination('brokers: a\n    sasl: {mechanism: oauthbearer, token: t, unsecured: {principal: p}}'), path: 'destinations.main.sasl.unsecured', reason: /contradicts `token`/, remedy: /Keep one/ },
  'an access key without its secret': { text: destination('brokers: a\n    sasl: {mechanism: aws-msk-iam, access_key_id: AKIA}'), path: 'destinations.main.sasl.secret_access_key', reason: /missing beside `access_key_id`/, remedy: /Add/ },
  'topics made with no partitions': { text: destination('brokers: a\n    topics: {create: {partitions: 0}}'), path: 'destinations.main.topics.create.partitions', reason: /from 1/, remedy: /from 1/ },
  'topics made with an unknown setting': { text: destination('brokers: a\n    topics: {create: {partition: 3}}'), path: 'destinations.main.topics.create.partition', reason: /not a field/, remedy: /partitions/ },
  'topics made as a word': { text: destination('brokers: a\n    topics: {create: always}'), path: 'destinations.main.topics.create', reason: /"always"/, remedy: /create: broker/ },
  'a setting of topics that is none': { text: destination('brokers: a\n    topics: {create: {config: {CLEANUP: x}}}'), path: 'destinations.main.topics.create.config.CLEANUP', reason: /no name/, remedy: /cleanup\.policy/ },
  'a setting of topics that is a list': { text: destination('brokers: a\n    topics: {create: {config: {cleanup.policy: [a]}}}'), path: 'destinations.main.topics.create.config["cleanup.policy"]', reason: /a list/, remedy: /cleanup\.policy/ },
  'topics made by magic': { text: destination('brokers: a\n    topics: {create: yes}'), path: 'destinations.main.topics.create', reason: /"yes"/, remedy: /broker/ },
  'a dead letter topic with a space': { text: destination('brokers: a\n    dead_letters: {topic: a b}'), path: 'destinations.main.dead_letters.topic', reason: /topic name/, remedy: /For example/ },
  'dead letters without a topic': { text: destination('brokers: a\n    dead_letters: {}'), path: 'destinations.main.dead_letters.topic', reason: /missing/, remedy: /./ },
  'a test topic with a space': { text: destination('brokers: a\n    test_topic: my topic'), path: 'destinations.main.test_topic', reason: /topic name/, remedy: /For example/ },
  'a topic of Kafka itself': { text: destination('brokers: a\n    test_topic: __consumer_offsets'), path: 'destinations.main.test_topic', reason: /topic name/, remedy: /For example/ },
  'text as a flag': { text: destination('brokers: a\n    enabled: "yes"'), path: 'destinations.main.enabled', reason: /true or false/, remedy: /without quotes/ },
  'default operation tags': { text: destination('brokers: a\n    defaults: {operation_tags: {}}'), path: 'destinations.main.defaults.operation_tags', ...notYet, remedy: /leave it out/ },
  // producer settings
  'a number in words': { text: producer('linger_ms: "five"'), path: 'destinations.main.producer.linger_ms', reason: /text "five"/, remedy: /without quotes/ },
  'a text out of range': { text: producer('linger_ms: "-1"'), path: 'destinations.main.producer.linger_ms', reason: /from 0/, remedy: /from 0/ },
  'six in flight with idempotence': { text: producer('max_in_flight: 6'), path: 'destinations.main.producer.max_in_flight', reason: /remember 5/, remedy: /idempotence: false/ },
  'a level without a codec': { text: producer('compression_level: 5'), path: 'destinations.main.producer.compression_level', reason: /none has no level/, remedy: /gzip or zstd/ },
  'a level of lz4': { text: producer('compression: lz4, compression_level: 5'), path: 'destinations.main.producer.compression_level', reason: /lz4 has no level/, remedy: /gzip or zstd/ },
  'a level beyond gzip': { text: producer('compression: gzip, compression_level: 10'), path: 'destinations.main.producer.compression_level', reason: /1 to 9/, remedy: /1 \(fast\)/ },
  'a set-up time above its maximum': { text: producer('socket_connection_setup_timeout_ms: 5000, socket_connection_setup_timeout_max_ms: 1000'), path: 'destinations.main.producer.socket_connection_setup_timeout_max_ms', reason: /less than/, remedy: /Raise/ },
  'an unknown way to look up names': { text: producer('client_dns_lookup: all'), path: 'destinations.main.producer.client_dns_lookup', reason: /use_all_dns_ips/, remedy: /./ },
  'a time for transactions': { text: producer('transaction_timeout_ms: 60000'), path: 'destinations.main.producer.transaction_timeout_ms', ...notYet, remedy: /exactly_once/ },
  'a batch that is too small': { text: producer('batch_bytes: 4999'), path: 'destinations.main.producer.batch_bytes', reason: /from 5000/, remedy: /from 5000/ },
  'a fraction': { text: producer('batch_messages: 1.5'), path: 'destinations.main.producer.batch_messages', reason: /whole number/, remedy: /whole number/ },
  'an infinite number': { text: producer('linger_ms: .inf'), path: 'destinations.main.producer.linger_ms', reason: /whole number/, remedy: /digits/ },
  'a near miss of a compression': { text: producer('compression: gzipp'), path: 'destinations.main.producer.compression', reason: /"gzipp"/, remedy: /gzip/ },
  'unknown acks': { text: producer('acks: 2'), path: 'destinations.main.producer.acks', reason: /number 2/, remedy: /all/ },
  'idempotence with weak acks': { text: producer('acks: 1, idempotence: true'), path: 'destinations.main.producer.idempotence', reason: /needs acks: all/, remedy: /idempotence: false/ },
  'a batch larger than a request': { text: producer('batch_bytes: 2000000'), path: 'destinations.main.producer.batch_bytes', reason: /max_request_size is 1048576/, remedy: /Raise max_request_size/ },
  'a buffer smaller than a batch': { text: producer('buffer_memory: 100000'), path: 'destinations.main.producer.buffer_memory', reason: /less than one batch/, remedy: /Raise buffer_memory/ },
  'a delivery shorter than a request': { text: producer('delivery_timeout_ms: 1000'), path: 'destinations.main.producer.delivery_timeout_ms', reason: /\(5000\)/, remedy: /Raise/ },
  'a transactional id': { text: producer('transactional_id: x'), path: 'destinations.main.producer.transactional_id', ...notYet, remedy: /leave it out/ },
  // sources
  'a source without type': { text: events('write_key: x'), path: 'sources.website.type', reason: /missing/, remedy: /events or files/ },
  'a source of a planned type': { text: events('type: postgres\n    url: x'), path: 'sources.website.type', ...notYet, remedy: /type: files/ },
  'a near miss of a type': { text: events('type: event'), path: 'sources.website.type', reason: /"event"/, remedy: /Did you mean events/ },
  'a source without write key': { text: events('type: events'), path: 'sources.website.write_key', reason: /missing/, remedy: /write_key/ },
  'a write key that is a number': { text: events('type: events\n    write_key: 12345'), path: 'sources.website.write_key', reason: /must be text/, remedy: /quotes/ },
  'an empty write key': { text: events('type: events\n    write_key: ""'), path: 'sources.website.write_key', reason: /empty/, remedy: /Give the secret/ },
  'a write key with a colon': { text: events('type: events\n    write_key: "hunter2:x"'), path: 'sources.website.write_key', reason: /colon/, remedy: /letters and digits/ },
  'an event larger than its batch': { text: events('type: events\n    write_key: x\n    max_event_bytes: 600000'), path: 'sources.website.max_event_bytes', reason: /more than max_batch_bytes/, remedy: /Raise max_batch_bytes/ },
  'files without path': { text: file({ lake: 'type: files' }), path: 'sources.lake.path', reason: /missing/, remedy: /folder/ },
  'files with a write key': { text: file({ lake: 'type: files\n    path: x\n    write_key: y' }), path: 'sources.lake.write_key', reason: /not a field/, remedy: /Known here/ },
  // references
  'a variable that is not set': { text: events('type: events\n    write_key: ${WEB_KEYS}'), path: 'sources.website.write_key', reason: /WEB_KEYS, which is not set/, remedy: /Did you mean \$\{WEB_KEY\}/, code: 'config_unresolved' },
  'a broken reference': { text: events('type: events\n    write_key: ${WEB KEY}'), path: 'sources.website.write_key', reason: /no reference/, remedy: /\$\$\{/, code: 'config_unresolved' },
  'a reference without end': { text: destination('brokers: a\n    client_id: "${WEB_KEY"'), path: 'destinations.main.client_id', reason: /no reference/, remedy: /\$\{NAME\}/, code: 'config_unresolved' },
  'a file that is not there': { text: events('type: events\n    write_key: ${file:nowhere.txt}'), path: 'sources.website.write_key', reason: /\/srv\/headrace\/nowhere\.txt.*does not exist/, remedy: /Check that the file exists/, code: 'config_unresolved' },
  "a reference to Headrace's own token": { text: destination('brokers: a\n    client_id: ${HEADRACE_TOKEN}'), path: 'destinations.main.client_id', reason: /may not read/, remedy: /variable of its own/, code: 'config_unresolved' },
  'a reference that gives no number': { text: producer('linger_ms: "${WORD}"'), path: 'destinations.main.producer.linger_ms', reason: /came through a reference/, remedy: /digits/ },
  'a reference that gives a relative path': { text: file({ lake: 'type: files\n    path: ${WORD}/x' }), path: 'sources.lake.path', reason: /what the reference gives is relative/, remedy: /from the root/ },
  'an empty variable where text is needed': { text: destination('brokers: a\n    client_id: ${EMPTY}'), path: 'destinations.main.client_id', reason: /empty text/, remedy: /For example/ },
  "an export's placeholder for an unknown secret": { text: events('type: events\n    write_key: "******"'), path: 'sources.website.write_key', reason: /stands for a secret/, remedy: /Give the secret/ },
  // syncs
  'a sync without source': { text: file({ tracks: `destination: main\n    ${topic}` }), path: 'syncs.tracks.source', reason: /missing/, remedy: /Add `source`/ },
  'a source that does not exist': { text: file({ tracks: `source: websit\n    destination: main\n    ${topic}` }), path: 'syncs.tracks.source', reason: /does not exist/, remedy: /Did you mean website/ },
  'a destination that does not exist': { text: file({ tracks: `source: website\n    destination: elsewhere\n    ${topic}` }), path: 'syncs.tracks.destination', reason: /does not exist/, remedy: /There are: main/ },
  'a sync without topic': { text: eventSync('message: {key: $.userId}'), path: 'syncs.tracks.message.topic', reason: /missing/, remedy: /defaults: \{topic/ },
  'a trigger that is no text': { text: eventSync(`${topic}
    trigger: [type]`), path: 'syncs.tracks.trigger', remedy: /trigger: type = /, reason: /a condition/ },
  'a sync key': { text: tableSync(`${topic}\n    read: {file: a.csv}\n    key: id`), path: 'syncs.rows.key', ...notYet, remedy: /message\.key/ },
  'behaviour mirror': { text: tableSync(`${topic}\n    read: {file: a.csv}\n    behaviour: mirror`), path: 'syncs.rows.behaviour', ...notYet, remedy: /send/ },
  'a mirror block': { text: tableSync(`${topic}\n    read: {file: a.csv}\n    mirror: {}`), path: 'syncs.rows.mirror', ...notYet, remedy: /send/ },
  'a schedule': { text: tableSync(`${topic}\n    read: {file: a.csv}\n    schedule: "*/5 * * * *"`), path: 'syncs.rows.schedule', ...notYet, remedy: /headrace run/ },
  'steps after a run': { text: tableSync(`${topic}\n    read: {file: a.csv}\n    after: []`), path: 'syncs.rows.after', ...notYet, remedy: /headrace run/ },
  'operation tags': { text: tableSync(`${topic}\n    read: {file: a.csv}\n    operation_tags: {}`), path: 'syncs.rows.operation_tags', ...notYet, remedy: /leave it out/ },
  'an unknown ordering': { text: eventSync(`${topic}\n    ordering: total`), path: 'syncs.tracks.ordering', reason: /key, preserve or none/, remedy: /./ },
  'truncation without fields': { text: eventSync(`${topic}\n    oversized: {truncate: []}`), path: 'syncs.tracks.oversized.truncate', reason: /is an empty list/, remedy: /truncate/ },
  'truncation of no path': { text: eventSync(`${topic}\n    oversized: {truncate: [body]}`), path: 'syncs.tracks.oversized.truncate[0]', reason: /"body"/, remedy: /\$\./ },
  'an unknown way with large messages': { text: eventSync(`${topic}\n    oversized: drop`), path: 'syncs.tracks.oversized', reason: /"drop"/, remedy: /reject/ },
  'delivery exactly once': { text: eventSync(`${topic}\n    delivery: exactly_once`), path: 'syncs.tracks.delivery', ...notYet, remedy: /Leave it out/ },
  'an unknown preset': { text: eventSync(`${topic}\n    preset: sgment`), path: 'syncs.tracks.preset', reason: /must be census/, remedy: /Did you mean segment/ },
  'format avro': { text: eventSync('message: {topic: web, format: avro}'), path: 'syncs.tracks.message.format', ...notYet, remedy: /JSON only so far/ },
  'a table': { text: tableSync(`${topic}\n    read: {table: public.orders, file: x.csv}`), path: 'syncs.rows.read.table', ...notYet, remedy: /file/ },
  'changes of a table': { text: tableSync(`${topic}\n    read: {changes: [a], file: x.csv}`), path: 'syncs.rows.read.changes', ...notYet, remedy: /file/ },
  'an unknown event type': { text: eventSync(`${topic}\n    types: [track, pages]`), path: 'syncs.tracks.types[1]', reason: /"pages"/, remedy: /Did you mean page/ },
  'types that are text': { text: eventSync(`${topic}\n    types: track`), path: 'syncs.tracks.types', reason: /a list of event types/, remedy: /\[track, identify\]/ },
  'no types at all': { text: eventSync(`${topic}\n    types: []`), path: 'syncs.tracks.types', reason: /empty list/, remedy: /leave it out/ },
  'types on a table sync': { text: tableSync(`${topic}\n    read: {file: a.csv}\n    types: [track]`), path: 'syncs.rows.types', reason: /for event syncs/, remedy: /read: \{types/ },
  'read on an event sync': { text: eventSync(`${topic}\n    read: {file: a.csv}`), path: 'syncs.tracks.read', reason: /for table syncs/, remedy: /Take it out/ },
  'a table sync without read': { text: tableSync(topic), path: 'syncs.rows.read', reason: /missing/, remedy: /read: \{file/ },
  'a file outside of the folder': { text: tableSync(`${topic}\n    read: {file: ../secrets.csv}`), path: 'syncs.rows.read.file', reason: /leads out/, remedy: /within it/ },
  'an absolute file': { text: tableSync(`${topic}\n    read: {file: /etc/passwd}`), path: 'syncs.rows.read.file', reason: /leads out/, remedy: /leading \// },
  'an unknown file format': { text: tableSync(`${topic}\n    read: {file: a.x, format: xml}`), path: 'syncs.rows.read.format', reason: /"xml"/, remedy: /csv, jsonl, json or parquet/ },
  'an unknown column type': { text: tableSync(`${topic}\n    read: {file: a.csv, types: {id: int}}`), path: 'syncs.rows.read.types.id', reason: /"int"/, remedy: /text, number, bool or json/ },
  'payload and columns': { text: tableSync('message: {topic: t, payload: {a: $.a}, columns: [{from: a}]}\n    read: {file: a.csv}'), path: 'syncs.rows.message.columns', reason: /contradicts `payload`/, remedy: /one of the two/ },
  'a column twice': { text: tableSync('message: {topic: t, columns: [{from: a}, {from: b, to: a}]}\n    read: {file: a.csv}'), path: 'syncs.rows.message.columns[1].to', reason: /second time/, remedy: /another name/ },
  'a column without from': { text: tableSync('message: {topic: t, columns: [{to: a}]}\n    read: {file: a.csv}'), path: 'syncs.rows.message.columns[0].from', reason: /missing/, remedy: /column/ },
  'a unit without timestamp': { text: eventSync('message: {topic: t, timestamp_unit: ms}'), path: 'syncs.tracks.message.timestamp_unit', reason: /without `timestamp`/, remedy: /Add `timestamp`/ },
  'keyless default of nothing': { text: eventSync('message: {topic: t, default_partition_for: keyless}'), path: 'syncs.tracks.message.default_partition_for', reason: /without/, remedy: /Add `default_partition`/ },
  'two partitioners': { text: eventSync('message: {topic: t, partitioner: crc32}\n    partitioner: fnv1a'), path: 'syncs.tracks.partitioner', reason: /contradicts/, remedy: /one of the two/ },
  'most rejected as text': { text: eventSync(`${topic}\n    max_rejected: few`), path: 'syncs.tracks.max_rejected', reason: /"few"/, remedy: /5%/ },
  'most rejected over all': { text: eventSync(`${topic}\n    max_rejected: 120%`), path: 'syncs.tracks.max_rejected', reason: /from 0% to 100%/, remedy: /5%/ },
  'most rejected below nothing': { text: eventSync(`${topic}\n    max_rejected: -1`), path: 'syncs.tracks.max_rejected', reason: /from 0/, remedy: /records/ },
  'most rejected without a part': { text: eventSync(`${topic}\n    max_rejected: {at_least: 5}`), path: 'syncs.tracks.max_rejected.percent', reason: /missing/, remedy: /Add/ },
  'a larger batch than the destination': { text: eventSync(`${topic}\n    batch: {messages: 5000}`), path: 'syncs.tracks.batch.messages', reason: /more than batch_messages/, remedy: /only cut/ },
  'a near miss in a message': { text: eventSync('message: {topc: web}'), path: 'syncs.tracks.message.topc', reason: /not a field/, remedy: /`topic`/ },
  'a message that is text': { text: eventSync('message: web'), path: 'syncs.tracks.message', reason: /object with fields/, remedy: /Known here: topic/ },
  'a field left empty': { text: eventSync(`${topic}\n    batch:`), path: 'syncs.tracks.batch', reason: /is empty/, remedy: /Known here/ },
};

for (const [name, { text, path, reason, remedy, code }] of Object.entries(cases)) {
  test(`refuses ${name}`, () => {
    const error = refusal(text);
    const problem = error.problems.find((one) => one.path === path);
    assert.ok(problem !== undefined, `no problem at ${path}, but:\n${error.message}`);
    assert.match(problem.reason, reason);
    assert.match(problem.remedy, remedy);
    assert.equal(problem.code ?? 'config_invalid', code ?? 'config_invalid');
    // One mistake is one problem, and the path and its reason read as a sentence.
    assert.equal(error.problems.length, 1, error.message);
    assert.match(problem.reason, /^[a-z].*\.$/);
    // Promise 8: what came through a reference, and what is a secret, is not shown.
    assert.doesNotMatch(`${error.message} ${error.stack}`, /hunter2/);
  });
}

test('every refusal of the table is of a configuration that is sound without it', () => {
  const sound = file({
    tracks: `source: website\n    destination: main\n    ${topic}`,
    rows: `source: lake\n    destination: main\n    read: {file: a.csv}\n    ${topic}`,
  });
  const { objects } = readText({ text: sound, name: 'test.yaml', folder: '/srv/headrace' });
  assert.deepEqual(reader.plan(objects, [], { prune: false }).problems, []);
  assert.ok(Object.keys(cases).length >= 60);
});

test('all problems come in one answer, each with its line', () => {
  const text = `destinations:
  main: {brokrs: x}
sources:
  website:
    type: events
    write_key: \${NOWHERE}
    max_batch_events: many
syncs:
  a: {source: website, destination: main, trigger: [x], types: [trak]}
  b: {source: nobody, destination: main}
`;
  const error = refusal(text);
  const found = error.problems.map(({ path, place }) => `${place} ${path}`);
  assert.deepEqual(found.sort(), [
    'test.yaml:10:7 syncs.b.source',
    'test.yaml:2:10 destinations.main.brokrs',
    'test.yaml:6:5 sources.website.write_key',
    'test.yaml:7:5 sources.website.max_batch_events',
    'test.yaml:9:43 syncs.a.trigger',
    'test.yaml:9:65 syncs.a.types[0]',
  ]);
  assert.equal(error.code, 'config_invalid');
  assert.equal(error.message.split('\n').length, found.length);
});

function refusal(text: string): ConfigurationError {
  const read = readText({ text, name: 'test.yaml', folder: '/srv/headrace' });
  const problems = [...read.problems, ...read.locate(reader.plan(read.objects, [], { prune: false }).problems)];
  assert.notDeepEqual(problems, [], 'the configuration was taken');
  return new ConfigurationError(problems);
}
