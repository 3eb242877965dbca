/**
 * `npm test`: set-up, static checks, then the tests against real services. Arguments: test files instead of all of them.
 * `--slow`: the slow ones, `--chaos`: the chaos tests in their long form.
 */
import { runNode } from './setup/node.mjs';
import { fail } from './setup/say.mjs';
import { setup } from './setup.mjs';

try {
  await setup({ tests: true });
  process.exitCode = await runNode(['scripts/test/run.ts', ...process.argv.slice(2)]);
} catch (error) {
  fail(error);
}
