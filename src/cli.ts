/** The command line's front door: builds what the commands need, each piece when it is first used. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import packageFacts from '../package.json' with { type: 'json' };
import type { Doors } from './cli/doors.ts';
import { runCommandLine } from './cli/program.ts';

// Most of a short command's time is compiling what it loads; where the folder cannot be written, nothing is kept.
enableCompileCache(join(import.meta.dirname, '..', '.cache', 'compile'));

const interruption = new AbortController();
let listening = false;

const doors: Doors = {
  open: async (target) => (await import('./open.ts')).openTarget(target),
  readConfiguration: async (path) => (await import('./config/file.ts')).readFile(path),
  exported: async (objects) => {
    const { exportObjects, exportYaml } = await import('./config/export.ts');
    return { yaml: exportYaml(objects), json: exportObjects(objects) };
  },
  schema: async () => (await import('./config/schema.ts')).configurationSchema(),
  explain: async (trigger, record) => (await import('./mapping/triggers/index.ts')).explainText(trigger, record),
  start: async (options) => (await import('./start.ts')).runServer(options),
  demo: async (options) => (await import('./demo.ts')).runDemo(options),
  startKafka: async (data) => (await import('./broker.ts')).startKafkaToStay(data),
  stopKafka: async (data) => (await import('./broker.ts')).stopKafka(data),
  interruption() {
    if (!listening) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
    listening = true;
    return interruption.signal;
  },
};

/** The first signal stops in order, the second at once. */
function interrupt(): void {
  if (interruption.signal.aborted) process.exit(1);
  interruption.abort();
}

/** `headrace tail | head`: whoever read has enough, which is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const noColor = (process.env['NO_COLOR'] ?? '') !== '';
const exitCode = await runCommandLine(process.argv.slice(2), {
  doors,
  streams: { stdout: process.stdout, stderr: process.stderr, colour: !noColor },
  version: packageFacts.version,
});
process.exit(exitCode);
