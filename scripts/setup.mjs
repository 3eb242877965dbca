/** Set-up: brings what the checkout needs and is not there yet. Safe to run at any time; quick when nothing is missing. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dependenciesInPlace, installDependencies } from './setup/dependencies.mjs';
import { missingJars, readLists } from './setup/jars.mjs';
import { alone } from './setup/lock.mjs';
import { alreadySaid, fail, say, SetupError } from './setup/say.mjs';
import { checkJava, checkNode, checkout, headraceNode } from './setup/tools.mjs';

export const cache = join(checkout, '.cache');
const listsPath = join(checkout, 'scripts', 'kafka-jars.json');

/**
 * `kafka: false`: neither Java nor Kafka, for whoever has a Kafka of his own. `tests`: also what only tests need.
 * Throws SetupError with one sentence: what is missing, and the remedy.
 */
export async function setup({ kafka = true, tests = false } = {}) {
  checkNode();
  const java = kafka ? checkJava() : null;
  if (await inPlace({ java, tests })) return;
  await alone(cache, async () => {
    if (!dependenciesInPlace(checkout)) await installDependencies(checkout);
    if (java === null) return;
    await fetchMissing(jarFolders(tests));
    prepareKafka(java);
  });
}

async function inPlace({ java, tests }) {
  if (!dependenciesInPlace(checkout)) return false;
  if (java === null) return true;
  return isPrepared(java) && (await missingFolders(jarFolders(tests))).length === 0;
}

/** Names in the committed lists, which are folders under the cache. */
function jarFolders(tests) {
  return Object.keys(readLists(listsPath)).filter((name) => tests || name.startsWith('kafka/'));
}

async function missingFolders(names) {
  const lists = readLists(listsPath);
  const missing = await Promise.all(names.map((name) => missingJars(join(cache, name), lists[name])));
  return names.filter((_, index) => missing[index].length > 0);
}

/** In a Node of its own: the new one knows the environment's proxies and the machine's own authorities. */
async function fetchMissing(names) {
  const missing = await missingFolders(names);
  if (missing.length === 0) return;
  const script = join(checkout, 'scripts', 'setup', 'jars.mjs');
  const { status } = spawnSync(headraceNode(), [script, '--cache', cache, '--lists', listsPath, ...missing], {
    stdio: 'inherit',
    env: { ...process.env, NODE_USE_ENV_PROXY: '1', NODE_USE_SYSTEM_CA: '1' },
  });
  if (status !== 0) throw alreadySaid;
}

/** A first start writes down what later ones need not find out again; without it they only take longer. */
function prepareKafka(java) {
  if (isPrepared(java)) return;
  say('Preparing Kafka for fast starts …');
  const script = join(checkout, 'scripts', 'setup', 'prepare-kafka.ts');
  const { status } = spawnSync(headraceNode(), [script, preparedFor(java)], { stdio: 'inherit' });
  if (status !== 0)
    throw new SetupError('Kafka could not be started for the reason printed above: mend it and run this again.');
}

function isPrepared(java) {
  return jarFolders(false).every((name) => {
    const marker = join(cache, name, 'prepared');
    return existsSync(marker) && readFileSync(marker, 'utf8') === preparedFor(java);
  });
}

/** What the preparation holds for: this Java, and the jars at this place. */
function preparedFor(java) {
  return `Java ${java} ${cache}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const without = process.argv.includes('--no-kafka');
  setup({ kafka: !without, tests: !without })
    .then(() => say('Everything is in place.'))
    .catch(fail);
}
