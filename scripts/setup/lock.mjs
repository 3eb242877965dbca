/** One set-up at a time in a checkout: the second waits for the first. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say, SetupError } from './say.mjs';

const LONGEST_WAIT_MS = 15 * 60_000;

/** Runs `work` while nobody else holds the lock; the lock of a process that is gone is taken over. */
export async function alone(cache, work) {
  const path = join(cache, 'setup.lock');
  mkdirSync(cache, { recursive: true });
  const deadline = Date.now() + LONGEST_WAIT_MS;
  for (let said = false; !take(path); said = true) {
    const holder = holderOf(path) ?? 'just ended';
    if (!said) say(`Another set-up is at work here (process ${holder}): waiting for it.`);
    if (Date.now() > deadline)
      throw new SetupError(`Process ${holder} has held ${path} for a quarter of an hour: end it, or remove that file.`);
    await new Promise((done) => setTimeout(done, 200));
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** The lock appears with its content in one step, so that nobody finds it empty. */
function take(path) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(own);
  }
  const holder = holderOf(path);
  if (holder === null || isRunning(holder)) return false;
  rmSync(path, { force: true });
  return take(path);
}

function holderOf(path) {
  try {
    return Number(readFileSync(path, 'utf8')) || null;
  } catch {
    return null;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
