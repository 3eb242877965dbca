/** One files run of the command, from its first instruction to its exit. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const headrace = join(import.meta.dirname, '..', '..', 'bin', 'headrace');

/** `file` of `folder` through `message`; `destination` as the configuration has it. Throws unless the run succeeded. */
export async function runFiles(
  destination: object,
  folder: string,
  file: string,
  message: object,
): Promise<{ seconds: number; peakRssMiB: number }> {
  const data = mkdtempSync(join(tmpdir(), 'headrace-bench-data-'));
  const config = join(folder, 'bench.json');
  const configuration = {
    destinations: { main: destination },
    sources: { lake: { type: 'files', path: folder } },
    syncs: { bench: { source: 'lake', destination: 'main', read: { file }, message } },
  };
  writeFileSync(config, JSON.stringify(configuration));
  const started = performance.now();
  const child = spawn(headrace, ['run', 'bench', '--config', config, '--data', data, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  let peakKiB = 0;
  child.stdout.on('data', (chunk: Buffer) => (output += chunk));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk));
  const sampler = setInterval(() => (peakKiB = Math.max(peakKiB, rssKiB(child.pid!))), 100);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearInterval(sampler);
  const seconds = (performance.now() - started) / 1000;
  rmSync(data, { recursive: true, force: true });
  if (code !== 0) throw new Error(`headrace run ended with ${code}: ${errors.slice(-1000)}`);
  const facts = JSON.parse(output) as { state: string };
  if (facts.state !== 'succeeded') throw new Error(`the run ended as ${facts.state}`);
  return { seconds, peakRssMiB: Math.round(peakKiB / 1024) };
}

function rssKiB(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0; // gone, or not Linux
  }
}
