/** Published jars into the cache: by coordinates, checked by SHA-512, resumed where an earlier try broke off. */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, progress, say, SetupError } from './say.mjs';

const PARALLEL = 4;
const TRIES = 4;
/** Without a byte for so long a download is begun again. */
const STALL_MS = 30_000;

/** The committed lists: folder under the cache → [{coordinates, size, sha512}]. */
export function readLists(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function jarName({ coordinates }) {
  const [, artifactId, version] = coordinates.split(':');
  return `${artifactId}-${version}.jar`;
}

/** The jars of the list that are not in the folder, or are not what they should be. */
export async function missingJars(folder, list) {
  const good = await Promise.all(list.map((jar) => isGood(join(folder, jarName(jar)), jar)));
  return list.filter((_, index) => !good[index]);
}

async function isGood(path, { size, sha512 }) {
  if (!existsSync(path) || statSync(path).size !== size) return false;
  const hash = createHash('sha512');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === sha512;
}

/**
 * Gets what is missing into `folder`, and removes jars that are not on the list.
 * A failed try is repeated after `firstWaitMs`, the next after twice that.
 */
export async function fetchJars(folder, list, firstWaitMs = 1000) {
  mkdirSync(folder, { recursive: true });
  const names = new Set(list.map(jarName));
  for (const name of readdirSync(folder)) if (name.endsWith('.jar') && !names.has(name)) rmSync(join(folder, name));
  const missing = await missingJars(folder, list);
  if (missing.length === 0) return;
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  const shown = progress(`Fetching ${missing.length} jar${missing.length === 1 ? '' : 's'}`, total);
  const stop = new AbortController();
  const queue = [...missing].sort((a, b) => b.size - a.size);
  const worker = async () => {
    for (let jar = queue.shift(); jar !== undefined && !stop.signal.aborted; jar = queue.shift())
      await fetchJar(folder, jar, { shown, firstWaitMs, signal: stop.signal });
  };
  try {
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  } catch (error) {
    stop.abort();
    throw error;
  } finally {
    shown.end();
  }
}

async function fetchJar(folder, jar, { shown, firstWaitMs, signal }) {
  const path = join(folder, jarName(jar));
  const part = `${path}.part`;
  const address = await addressOf(jar);
  for (let attempt = 1; ; attempt++) {
    try {
      await download(address, part, jar, shown, signal);
      if (await isGood(part, jar)) return renameSync(part, path);
      shown.add(-jar.size);
      rmSync(part);
      throw new Error('the checksum is not the expected one');
    } catch (error) {
      if (error instanceof SetupError || signal.aborted) throw error;
      if (error.code === 'ENOSPC')
        throw new SetupError(`The disk that holds ${folder} is full: free 100 MB and run this again.`);
      if (attempt === TRIES) throw new SetupError(sentence(jar, address, error));
      await new Promise((done) => setTimeout(done, firstWaitMs * 2 ** (attempt - 1)));
    }
  }
}

/** Goes on at the end of what is there; starts again when the server does not do that. */
async function download(address, part, { size }, shown, signal) {
  let have = existsSync(part) ? statSync(part).size : 0;
  if (have > size) {
    rmSync(part);
    have = 0;
  }
  if (have === size) return shown.add(size);
  const stalled = new AbortController();
  let watch = setTimeout(() => stalled.abort(), STALL_MS);
  const response = await fetch(address, {
    headers: { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
    signal: AbortSignal.any([signal, stalled.signal]),
  });
  if (response.status === 416) rmSync(part);
  if (!response.ok) {
    clearTimeout(watch);
    await response.body?.cancel();
    throw Object.assign(new Error(`it answers ${response.status}`), { status: response.status });
  }
  const resumed = response.status === 206;
  let counted = resumed ? have : 0;
  shown.add(counted);
  try {
    const body = Readable.fromWeb(response.body);
    body.on('data', (chunk) => {
      clearTimeout(watch);
      watch = setTimeout(() => stalled.abort(), STALL_MS);
      counted += chunk.length;
      shown.add(chunk.length);
    });
    await pipeline(body, createWriteStream(part, { flags: resumed ? 'a' : 'w' }));
    if (counted < size) throw new Error('the connection ended early');
  } catch (error) {
    shown.add(-counted);
    throw error;
  } finally {
    clearTimeout(watch);
  }
}

/** By the package that knows the public repository, or in the one that the environment names. */
async function addressOf({ coordinates }) {
  const { default: module } = await import('mvn-artifact-url');
  const [groupId, artifactId, version] = coordinates.split(':');
  const repository = process.env.HEADRACE_MAVEN_REPOSITORY?.replace(/\/*$/, '/');
  return module.default({ groupId, artifactId, version }, repository);
}

function sentence(jar, address, error) {
  const { host } = new URL(address);
  const cause = error.cause?.code ?? error.cause?.message ?? error.message;
  const remedy = 'run this again, or name another Maven repository in HEADRACE_MAVEN_REPOSITORY';
  if (error.status !== undefined || error.cause === undefined)
    return `${jarName(jar)} could not be fetched from ${host}, ${cause}: ${remedy}.`;
  return `${host} could not be reached (${cause}) to fetch ${jarName(jar)}: connect this machine to the network and ${remedy}.`;
}

async function main() {
  const { values, positionals } = parseArgs({
    options: {
      cache: { type: 'string' },
      lists: { type: 'string' },
      'first-wait-ms': { type: 'string', default: '1000' },
    },
    allowPositionals: true,
  });
  const lists = readLists(values.lists);
  for (const name of positionals)
    await fetchJars(resolve(values.cache, name), lists[name], Number(values['first-wait-ms']));
  say('All jars are in place.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main().catch(fail);
