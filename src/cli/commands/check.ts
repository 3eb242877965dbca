/** `headrace check`: Test Connection. */
import type { Command } from 'commander';
import type { CheckReport, CheckStep } from '../../api/contract/service.ts';
import {
  examples,
  overlay,
  withConfig,
  withData,
  withJson,
  withService,
  type Context,
  type DataOptions,
} from '../context.ts';
import { exitCodes } from '../exit.ts';
import type { Output } from '../output.ts';
import { durationText, printable } from '../text.ts';

export function addCheck(program: Command, context: Context): void {
  const command = program
    .command('check')
    .description('test the connection to a destination step by step, with cause and remedy')
    .argument('<destination>', 'its name');
  withJson(withConfig(withData(command))).action((destination: string, options: DataOptions) =>
    check(context, destination, options),
  );
  examples(command, ['check main', 'check main --config headrace.yaml', 'check main --json']);
}

async function check(context: Context, destination: string, options: DataOptions): Promise<void> {
  const over = await overlay(context, options);
  // Not laid over what the service opens with: what is refused in it belongs into the report.
  const target = { use: 'look', role: `check ${destination}` } as const;
  await withService(context, options, target, async ({ service }) => {
    const report = await service.check(destination, over);
    context.output.result(options.json === true, report, reportText(report, context.output));
    if (!report.ok) context.exit(exitCodes.failed);
  });
}

function reportText(report: CheckReport, output: Output): string {
  const lines = report.steps.map((step) => stepText(step, output));
  for (const warning of report.warnings) lines.push(`${output.paint('yellow', '! warning ')}  ${printable(warning)}`);
  const end = report.ok ? output.paint('green', 'Connection Successful') : output.paint('red', 'Connection Failed');
  return [...lines, `${end} (${durationText(report.tookMs)})`].join('\n');
}

const colours = { ok: 'green', failed: 'red', skipped: 'dim' } as const;
const marks = { ok: '✓', failed: '✗', skipped: '–' } as const;
const INDENT = ' '.repeat(12);

function stepText({ step, state, detail, remedy, link }: CheckStep, output: Output): string {
  const lines = [`${output.paint(colours[state], `${marks[state]} ${step.padEnd(8)}`)}  ${printable(detail)}`];
  if (remedy !== null) lines.push(`${INDENT}${printable(remedy)}`);
  if (typeof link === 'string') lines.push(`${INDENT}see ${link}`);
  return lines.join('\n');
}
