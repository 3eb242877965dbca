/** What every command has at hand: doors, printer, and the options that they share. */
import type { Command } from 'commander';
import { HeadraceError, type WrittenObject } from '../model/index.ts';
import type { Doors, Opened, Target } from './doors.ts';
import type { Output } from './output.ts';

export interface Context {
  readonly doors: Doors;
  readonly output: Output;
  /** Ends the command with this exit code; 0 unless told. */
  readonly exit: (code: number) => void;
}

/** Options of commands that work on a data folder. */
export interface DataOptions {
  readonly data?: string;
  readonly server?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export function withData(command: Command): Command {
  return command
    .option('--data <folder>', 'the data folder (HEADRACE_DATA, else ./data)')
    .option('--server <url>', 'use this running server; its token in HEADRACE_TOKEN');
}

/** `what`: laid over, or applied first. */
export function withConfig(command: Command, what = 'a configuration file laid over what is stored'): Command {
  return command.option('--config <file>', what);
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON for programs');
}

/** A heading and indented lines below the help of a command. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', ['', 'Examples:', ...lines.map((line) => `  $ headrace ${line}`)].join('\n'));
}

/** The objects of `--config`, where it is given. */
export async function overlay(context: Context, options: DataOptions): Promise<readonly WrittenObject[] | undefined> {
  return options.config === undefined ? undefined : (await context.doors.readConfiguration(options.config)).objects;
}

/** Opens the service, does the task, closes. */
export async function withService<T>(
  context: Context,
  options: DataOptions,
  target: Pick<Target, 'use' | 'role' | 'over'>,
  task: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await context.doors.open({
    data: options.data ?? null,
    server: options.server ?? null,
    ...target,
  });
  try {
    return await task(opened);
  } catch (error) {
    if (error instanceof HeadraceError) tellWhoReads(context.output, opened, [error]);
    throw error;
  } finally {
    await opened.close();
  }
}

/** Where a running server does the work, `${NAME}` is read in its environment and not in the caller's. */
export function tellWhoReads(
  output: Output,
  { server }: Opened,
  problems: readonly { readonly code?: string }[],
): void {
  if (server === null || !problems.some(({ code }) => code === 'config_unresolved')) return;
  output.note(
    `The server at ${server} runs on this data folder and reads references in its own environment: set the variable there, or stop it first.`,
  );
}

/** An option that must be a whole number of at least `least`. */
export function wholeNumber(name: string, least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`${name} must be a whole number ${range}, and is ${JSON.stringify(text)}.`);
  };
}

/** Wrong usage: told in one line, exit code 64. */
export class UsageError extends Error {}
