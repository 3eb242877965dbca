/** Derives kafka-jars.json by Maven: `--write` writes it, `--check` says whether it is what would be written. */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, say, SetupError } from './setup/say.mjs';
import { checkout } from './setup/tools.mjs';

const target = join(checkout, 'scripts', 'kafka-jars.json');

const zooKeeperNetty = ['io.netty:netty-handler', 'io.netty:netty-transport-native-epoll'];

/** Folder under the cache → what is wanted there; its own runtime dependencies come with it. */
const wanted = {
  'kafka/4.3.1': [
    { coordinates: 'org.apache.kafka:kafka_2.13:4.3.1' },
    // The console tools and ProducerPerformance, without Kafka Connect and its web server.
    {
      coordinates: 'org.apache.kafka:kafka-tools:4.3.1',
      without: [
        'org.apache.kafka:connect-runtime',
        'com.fasterxml.jackson.jakarta.rs:jackson-jakarta-rs-json-provider',
      ],
    },
    // Kafka's own distribution adds the same one: the bridge to its log4j.
    { coordinates: 'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4' },
  ],
  // Old brokers for tests, in a folder of another name: only `npm test` fetches them. Nobody speaks TLS to ZooKeeper here.
  'old-kafka/1.0.2': [{ coordinates: 'org.apache.kafka:kafka_2.12:1.0.2', without: ['jline:jline', 'io.netty:netty'] }],
  'old-kafka/2.8.2': [
    { coordinates: 'org.apache.kafka:kafka_2.13:2.8.2', without: zooKeeperNetty },
    { coordinates: 'org.slf4j:slf4j-reload4j:1.7.36' },
  ],
  'old-kafka/3.9.2': [
    { coordinates: 'org.apache.kafka:kafka_2.13:3.9.2', without: zooKeeperNetty },
    { coordinates: 'org.slf4j:slf4j-reload4j:1.7.36' },
  ],
  // Compiles the tests' Java client where Java comes without a compiler.
  'ecj/3.33.0': [{ coordinates: 'org.eclipse.jdt:ecj:3.33.0' }],
};

function derived() {
  const lists = Object.entries(wanted).map(([folder, roots]) => [folder, resolved(roots)]);
  return `${JSON.stringify(Object.fromEntries(lists), null, 2)}\n`;
}

/** Maven resolves and checks; the digest is of what it then has. */
function resolved(roots) {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-jars-'));
  try {
    writeFileSync(join(folder, 'pom.xml'), pom(roots));
    const list = join(folder, 'list.txt');
    const goal = ['dependency:list', '-DincludeScope=runtime', '-DoutputAbsoluteArtifactFilename=true'];
    const answer = spawnSync('mvn', ['-B', '-q', ...goal, `-DoutputFile=${list}`], { cwd: folder, encoding: 'utf8' });
    if (answer.error)
      throw new SetupError('Maven was not found on PATH, and only Maven can derive the list: install it.');
    if (answer.status !== 0) throw new SetupError(`Maven failed: ${answer.stdout.trim()}`);
    const lines = readFileSync(list, 'utf8')
      .split('\n')
      .map((line) => line.trim());
    return lines
      .map(jarOf)
      .filter((jar) => jar !== null)
      .sort((a, b) => (a.coordinates < b.coordinates ? -1 : 1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** From `group:artifact:jar:version:scope:/path`. */
function jarOf(line) {
  const match = /^([^:\s]+):([^:]+):jar:([^:]+):(?:compile|runtime):(\/\S+\.jar)/.exec(line);
  if (match === null) return null;
  const [, group, artifact, version, path] = match;
  const bytes = readFileSync(path);
  const sha512 = createHash('sha512').update(bytes).digest('hex');
  return { coordinates: `${group}:${artifact}:${version}`, size: bytes.length, sha512 };
}

function pom(roots) {
  const parts = (coordinates) => {
    const [group, artifact, version] = coordinates.split(':');
    const tag = version === undefined ? '' : `<version>${version}</version>`;
    return `<groupId>${group}</groupId><artifactId>${artifact}</artifactId>${tag}`;
  };
  const dependencies = roots.map(({ coordinates, without = [] }) => {
    const exclusions = without.map((one) => `<exclusion>${parts(one)}</exclusion>`).join('');
    return `<dependency>${parts(coordinates)}<exclusions>${exclusions}</exclusions></dependency>`;
  });
  return `<project><modelVersion>4.0.0</modelVersion>${parts('headrace:jars:1')}<dependencies>${dependencies.join('')}</dependencies></project>`;
}

try {
  const text = derived();
  if (process.argv.includes('--write')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text)
    throw new SetupError(
      'scripts/kafka-jars.json is not what its generator makes: run node scripts/kafka-jars.mjs --write.',
    );
  say('scripts/kafka-jars.json is as it should be.');
} catch (error) {
  fail(error);
}
