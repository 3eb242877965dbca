/** What must be on the machine already: Node, npm and Java; and which Node runs Headrace. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError } from './say.mjs';

export const checkout = join(import.meta.dirname, '..', '..');

/** From here on TypeScript runs as it is. */
const WANTED_NODE = [24, 7];
const OLDEST_NODE = [20, 20];
const OLDEST_JAVA = 17;

export function checkNode() {
  if (process.platform === 'win32')
    throw new SetupError('Headrace runs on Linux and macOS: on Windows use the Windows Subsystem for Linux.');
  if (!atLeast(process.versions.node, OLDEST_NODE))
    throw new SetupError(
      `Node ${OLDEST_NODE.join('.')} or newer is needed and this is ${process.versions.node}: install a newer one.`,
    );
}

export function checkNpm() {
  const answer = spawnSync('npm', ['--version'], { encoding: 'utf8', env: outsideEnvironment() });
  if (answer.error || answer.status !== 0)
    throw new SetupError('npm was not found on PATH: install Node with npm, 10 or newer.');
}

/**
 * The version of the Java that will be used. One that only JAVA_HOME names is put on PATH for what is started from here.
 * Throws SetupError when there is none, or only an old one.
 */
export function checkJava() {
  const home = process.env.JAVA_HOME;
  const candidates = ['java', ...(home ? [join(home, 'bin', 'java')] : [])];
  const found = candidates.map((command) => ({ command, version: javaVersion(command) }));
  const good = found.find(({ version }) => version !== null && Number.parseInt(version, 10) >= OLDEST_JAVA);
  if (good === undefined) {
    const old = found.find(({ version }) => version !== null);
    const state = old ? `the one here is ${old.version}` : 'there is none on PATH or at JAVA_HOME';
    throw new SetupError(
      `Apache Kafka needs Java ${OLDEST_JAVA} or newer and ${state}: install it (Debian, Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17), or name a Kafka of your own in KAFKA_BROKERS.`,
    );
  }
  if (good.command !== 'java') process.env.PATH = [join(home, 'bin'), process.env.PATH ?? ''].join(delimiter);
  return good.version;
}

/** e.g. `17.0.15`; null when the command is no working Java (macOS has one that only says so). */
function javaVersion(command) {
  const answer = spawnSync(command, ['-version'], { encoding: 'utf8' });
  if (answer.error || answer.status !== 0) return null;
  return /version "(?:1\.)?([^"]+)"/.exec(answer.stderr)?.[1] ?? null;
}

/** The Node that runs Headrace: this one when it is new enough, else the one among the dependencies. */
export function headraceNode() {
  if (atLeast(process.versions.node, WANTED_NODE)) return process.execPath;
  const own = join(checkout, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(own)) return own;
  throw new SetupError(
    `Headrace needs Node ${WANTED_NODE.join('.')}, this is ${process.versions.node}, and the package that brings a newer one is not installed: run npm run setup.`,
  );
}

/** The environment without what npm put into it for the script that runs: for an npm that replaces node_modules. */
export function outsideEnvironment() {
  const entries = Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)/.test(name));
  const environment = Object.fromEntries(entries);
  const path = (environment.PATH ?? '').split(delimiter);
  environment.PATH = path.filter((folder) => !folder.endsWith(join('node_modules', '.bin'))).join(delimiter);
  return environment;
}

function atLeast(version, wanted) {
  const [major, minor] = version.split('.').map(Number);
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}
