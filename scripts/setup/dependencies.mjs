/** npm packages: installed when the lockfile is another than the one they were installed from. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say, SetupError } from './say.mjs';
import { checkNpm, outsideEnvironment } from './tools.mjs';

/** Beside the packages, so that whatever removes them removes it too. */
const markerOf = (folder) => join(folder, 'node_modules', '.headrace-installed');

export function dependenciesInPlace(folder) {
  return existsSync(markerOf(folder)) && readFileSync(markerOf(folder), 'utf8') === wantedState(folder);
}

export async function installDependencies(folder) {
  checkNpm();
  const state = wantedState(folder);
  say('Installing npm packages (about half a minute) …');
  const unreachable = await unreachableRegistry(folder);
  const offline = unreachable === null ? [] : ['--offline'];
  const output = await npm(folder, ['ci', '--loglevel=error', '--no-audit', '--no-fund', ...offline]);
  if (output !== null) throw new SetupError(npmProblem(unreachable ?? output));
  writeFileSync(markerOf(folder), state);
}

function wantedState(folder) {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  return `${lockfile} ${process.platform} ${process.arch}\n`;
}

const NO_NETWORK = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT|NETUNREACH|HOSTUNREACH)/;

/**
 * What npm prints when its registry cannot be reached; null when it can. Asked beforehand, as npm without a network is
 * silent for minutes; told to be offline it installs from its cache, or fails at once.
 */
async function unreachableRegistry(folder) {
  const output = await npm(
    folder,
    ['ping', '--loglevel=error', '--fetch-retries=1', '--fetch-retry-mintimeout=500'],
    'quiet',
  );
  return output !== null && NO_NETWORK.test(output) ? output : null;
}

/** Null when it went well, else what npm printed. */
function npm(folder, args, manner) {
  return new Promise((resolve) => {
    const child = spawn('npm', args, { cwd: folder, env: outsideEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
    let printed = '';
    child.stderr.on('data', (chunk) => {
      printed += chunk;
      if (manner !== 'quiet') process.stderr.write(chunk);
    });
    child.once('error', (error) => resolve(String(error)));
    child.once('close', (code) => resolve(code === 0 ? null : printed));
  });
}

function npmProblem(printed) {
  if (/ENOSPC/.test(printed)) return 'The disk is full: free 1 GB and run this again.';
  if (NO_NETWORK.test(printed)) {
    const host = /https?:\/\/([^/\s]+)/.exec(printed)?.[1] ?? 'its registry';
    return `npm could not reach ${host}: connect this machine to the network, or set npm's registry to one that it can reach, and run this again.`;
  }
  if (/EACCES|EPERM/.test(printed)) return 'npm may not write here: make this folder yours, and run this again.';
  return 'npm ci failed for the reason printed above: mend it and run this again.';
}
