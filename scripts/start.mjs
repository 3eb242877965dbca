/** `npm start`: set-up, then the demo. */
import { runNode } from './setup/node.mjs';
import { fail } from './setup/say.mjs';
import { setup } from './setup.mjs';

try {
  await setup({ kafka: !process.env.KAFKA_BROKERS });
  process.exitCode = await runNode(['src/cli.ts', 'demo', ...process.argv.slice(2)]);
} catch (error) {
  fail(error);
}
