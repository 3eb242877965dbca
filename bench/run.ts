/**
 * All benchmarks in one run: `npm run bench [-- --short] [-- PART ...]`. Parts that need a broker share one.
 * Writes bench/results/<date>.json (raw) and .md (for people). The peers run in the same run.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectorPart } from './collector.bench.ts';
import { destinationPart } from './destination.bench.ts';
import { filesPart } from './files.bench.ts';
import { spoolPart } from './spool.bench.ts';
import { mappingPart, triggersPart } from './mapping.bench.ts';
import { benchKafka, PARTITIONS } from './support/kafka.ts';
import { machine, type Machine } from './support/machine.ts';
import type { Part } from './support/part.ts';
import { secureListeners } from './support/secure.ts';

/** In the order in which they run and are reported. */
const parts: Readonly<Record<string, Part>> = {
  files: filesPart,
  collector: collectorPart,
  destination: destinationPart,
  spool: spoolPart,
  mapping: mappingPart,
  triggers: triggersPart,
};

const args = process.argv.slice(2);
const short = args.includes('--short');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.find((name) => parts[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(`There is no part ${unknown}: choose among ${Object.keys(parts).join(', ')}.\n`);
  process.exit(64);
}

const on = machine();
const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-certificates-'));
const { listeners, cases } = secureListeners(folder);
const kafka = await benchKafka({ listeners });
try {
  const raw: Record<string, unknown> = {};
  let page = head(on);
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const { results, lines } = await part({ kafka, secureCases: cases, short });
    raw[name] = results;
    page += `${lines.join('\n')}\n`;
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (!short) write(raw, page);
} finally {
  await kafka.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

function head(machineFacts: Machine): string {
  const { at, headrace, commit, kafka: version, node, java, cores, cpu, memoryGiB, system, loadBefore } = machineFacts;
  return `# Benchmark of ${at}\n\nHeadrace ${headrace} at ${commit}, Apache Kafka ${version} (one broker, ${PARTITIONS} partitions, acks all, on the same machine), Node ${node}, ${java}, ${cores} cores of ${cpu}, ${memoryGiB} GiB, ${system}; load before the run ${loadBefore}.\n\n`;
}

function write(raw: Record<string, unknown>, page: string): void {
  const target = join(import.meta.dirname, 'results');
  mkdirSync(target, { recursive: true });
  const suffix = wanted.length === 0 ? '' : `-${wanted.join('-')}`;
  const name = `${on.at.slice(0, 16).replaceAll(/[:T]/g, '-')}${suffix}`;
  writeFileSync(join(target, `${name}.json`), `${JSON.stringify({ machine: on, ...raw }, null, 2)}\n`);
  writeFileSync(join(target, `${name}.md`), page);
}
