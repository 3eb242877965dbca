/** `docs/reference/cli.md` from the commands themselves: `--write` writes it, `--check` says whether it is what would be written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Argument, Command, Option } from 'commander';
import type { Context } from '../src/cli/context.ts';
import { Output } from '../src/cli/output.ts';
import { buildProgram } from '../src/cli/program.ts';

const target = join(import.meta.dirname, '..', 'docs', 'reference', 'cli.md');

/** The page as it should be. */
export function cliPage(): Promise<string> {
  const printed: string[] = [];
  const stream = { write: (text: string): void => void printed.push(text) };
  const streams = { stdout: stream, stderr: stream, colour: false };
  // Building the commands opens no door.
  const context = { doors: {} as Context['doors'], output: new Output(streams), exit: (): void => undefined };
  const program = buildProgram(context, { streams, version: '' });
  const sections = program.commands.flatMap((command) => [command, ...command.commands]).map(section);
  return formatted(`<!-- Written by scripts/cli-docs.ts from the commands themselves. -->

# Command line

Commands use the running server of the data folder if there is one (it tells its address in \`server.json\`), else they do the work
themselves. Only the result stands on standard output; progress, warnings and errors go to standard error. \`--json\` prints the
result for programs.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed, cancelled, or refused |
| 2 | done, with rejected records |
| 64 | wrong usage |

| variable | does |
| --- | --- |
| \`HEADRACE_DATA\` | the data folder where \`--data\` names none |
| \`HEADRACE_TOKEN\` | the token of the API: what the server takes, what commands with \`--server\` send |
| \`HEADRACE_SECRET_KEY\` | seals secrets in the state; else \`secret.key\` of the data folder does |
| \`HEADRACE_HOST\`, \`PORT\` | where the server listens, where no option says |
| \`DATABASE_URL\` | a PostgreSQL for the state instead of SQLite in the data folder |
| \`KAFKA_BROKERS\` | a cluster of your own for \`headrace demo\` |
| \`HEADRACE_ALLOWED_ADDRESSES\` | addresses and ranges with commas between (\`10.0.0.0/8,192.168.1.7\`): brokers and token servers at other addresses are not connected to |
| \`LOG_LEVEL\` | trace, debug, info (of the server), warn (of commands), error, fatal, silent |
| \`NO_COLOR\` | set and not empty: no colours |

${sections.join('\n')}`);
}

async function formatted(page: string): Promise<string> {
  return format(page, { ...(await resolveConfig(target)), parser: 'markdown' });
}

function section(command: Command): string {
  const name = nameOf(command);
  const [, below = ''] = helpOf(command).split('\nExamples:\n');
  const [examples = '', ...rest] = below.split('\n\n');
  const notes = rest.join('\n\n').trim();
  const parts = [
    `## headrace ${name}`,
    `${capital(command.description())}.`,
    ...(command.commands.length > 0 ? [] : [`    headrace ${[name, command.usage()].join(' ').trim()}`]),
    ...rows(command),
    ...(examples === '' ? [] : [fenced(examples)]),
    ...(notes === '' ? [] : [notes.replaceAll('\n', ' ')]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The help with what is added below it, as commander prints it. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

function nameOf(command: Command): string {
  const parent = command.parent?.parent == null ? '' : `${command.parent.name()} `;
  return `${parent}${command.name()}`;
}

function rows(command: Command): string[] {
  const all = [...command.registeredArguments.map(argumentRow), ...command.options.map(optionRow)];
  return all.length === 0 ? [] : [['| | |', '| --- | --- |', ...all].join('\n')];
}

function argumentRow(argument: Argument): string {
  return row(argument.required ? `<${argument.name()}>` : `[${argument.name()}]`, argument.description);
}

function optionRow({ flags, description, defaultValue }: Option): string {
  return row(flags, defaultValue === undefined ? description : `${description} (default ${String(defaultValue)})`);
}

function row(what: string, does: string): string {
  return `| \`${what}\` | ${does.replaceAll('|', '\\|')} |`;
}

function fenced(lines: string): string {
  return ['```', ...lines.split('\n').map((line) => line.replace(/^ {2}\$ /, '')), '```']
    .join('\n')
    .replace('\n\n```', '\n```');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--write')) writeFileSync(target, await cliPage());
  else if (readFileSync(target, 'utf8') !== (await cliPage())) {
    process.stderr.write(`${target} is out of date: node scripts/cli-docs.ts --write\n`);
    process.exit(1);
  }
}
