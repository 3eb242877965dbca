/** Mapping and triggers on one core, each in a process of its own, beside Segment's. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Part, PartReport } from './support/part.ts';

interface Figure {
  readonly name: string;
  readonly best: number;
  readonly median: number;
  readonly target: number | null;
  /** Beside Segment's, where both mean the same; triggers only. */
  readonly ratio?: number | null;
}

export const mappingPart: Part = ({ short }) => {
  const results = measured<{ figures: Figure[]; ratios: { value: number; bytes: number; target: number } }>(
    'mapping.ts',
    short,
  );
  const { value, bytes, target } = results.ratios;
  const lines = [
    '## Mapping, records a second of one core',
    '',
    'From the record as its source hands it on to the bytes of the message, where nothing else is said. The target of 1,000,000 is for the mapped value, where the figures of actions-core end too.',
    '',
    ...table(results.figures),
    `Beside actions-core: **${value}** times as fast to the mapped value, **${bytes}** times to bytes (target ${target}).`,
    '',
  ];
  return Promise.resolve<PartReport>({ results, lines });
};

export const triggersPart: Part = ({ short }) => {
  const results = measured<{ figures: Figure[] }>('triggers.ts', short);
  return Promise.resolve<PartReport>({
    results,
    lines: ['## Triggers, records a second of one core', '', ...table(results.figures)],
  });
};

function table(figures: readonly Figure[]): string[] {
  const number = (value: number): string => value.toLocaleString('en');
  const rows = figures.map(({ name, best, median, target, ratio }) => {
    const beside = ratio === undefined || ratio === null ? '' : `${ratio} times Segment's; `;
    const verdict = target === null ? '' : `target ${number(target)}: ${best >= target ? 'met' : '**missed**'}`;
    return `| ${name} | ${number(best)} | ${number(median)} | ${beside}${verdict} |`;
  });
  return ['| what | best | median | |', '| --- | ---: | ---: | --- |', ...rows, ''];
}

function measured<T>(file: string, short: boolean): T {
  const args = [join(import.meta.dirname, file), '--json', ...(short ? ['--short'] : [])];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as T;
}
