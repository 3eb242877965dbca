/** The command line: every verb, the exit code of each, and nothing loaded that the verb at hand does not need. */
import { Command, CommanderError } from 'commander';
import { HeadraceError } from '../model/index.ts';
import { addApply } from './commands/apply.ts';
import { addCancel } from './commands/cancel.ts';
import { addCheck } from './commands/check.ts';
import { addDeadLetters } from './commands/dead-letters.ts';
import { addDemo } from './commands/demo.ts';
import { addExplain } from './commands/explain.ts';
import { addExport } from './commands/export.ts';
import { addKafka } from './commands/kafka.ts';
import { addNotYet } from './commands/not-yet.ts';
import { addPreview } from './commands/preview.ts';
import { addReset } from './commands/reset.ts';
import { addRun } from './commands/run.ts';
import { addRuns } from './commands/runs.ts';
import { addSchema } from './commands/schema.ts';
import { addStart } from './commands/start.ts';
import { addSwitches } from './commands/switch.ts';
import { addTail } from './commands/tail.ts';
import { addTopics } from './commands/topics.ts';
import { UsageError, type Context } from './context.ts';
import type { Doors } from './doors.ts';
import { exitCodes } from './exit.ts';
import { Output, type Streams } from './output.ts';

export interface ProgramOptions {
  readonly doors: Doors;
  readonly streams: Streams;
  readonly version: string;
}

/** Runs one command line (without the program's name) and answers the exit code. Never throws. */
export async function runCommandLine(args: readonly string[], options: ProgramOptions): Promise<number> {
  const output = new Output(options.streams);
  let code: number = exitCodes.done;
  const context: Context = { doors: options.doors, output, exit: (wanted) => (code = wanted) };
  try {
    await buildProgram(context, options).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return failure(error, output);
  }
}

/** The commander program; also read by the generator of the reference page. */
export function buildProgram(
  context: Context,
  { streams, version }: Pick<ProgramOptions, 'streams' | 'version'>,
): Command {
  const program = new Command('headrace')
    .description('Brings application events and table rows into Apache Kafka.')
    .version(version, '--version')
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride();
  addStart(program, context);
  addDemo(program, context);
  addApply(program, context);
  addExport(program, context);
  addSchema(program, context);
  addCheck(program, context);
  addTopics(program, context);
  addPreview(program, context);
  addExplain(program, context);
  addRun(program, context);
  addRuns(program, context);
  addCancel(program, context);
  addReset(program, context);
  addSwitches(program, context);
  addTail(program, context);
  addDeadLetters(program, context);
  addKafka(program, context);
  addNotYet(program);
  program.addHelpText(
    'after',
    `
Commands use the running server of the data folder, if there is one, and do the work themselves if there is none.

Environment: HEADRACE_DATA, HEADRACE_TOKEN, HEADRACE_SECRET_KEY, DATABASE_URL, KAFKA_BROKERS, PORT, LOG_LEVEL, NO_COLOR.
Exit codes: 0 done, 1 failed, 2 done with rejected records, 64 wrong usage.`,
  );
  return program;
}

function failure(error: unknown, output: Output): number {
  output.clearProgress();
  // commander has printed what was wrong; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof UsageError) {
    output.note(`error: ${error.message}`);
    return exitCodes.usage;
  }
  if (error instanceof HeadraceError) {
    output.error(error);
    return exitCodes.failed;
  }
  output.note(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return exitCodes.failed;
}
