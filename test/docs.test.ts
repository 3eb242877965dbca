/** Pages that are written by a program are what it would write. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cliPage } from '../scripts/cli-docs.ts';
import { configurationPage } from '../scripts/configuration-docs.ts';
import { errorPage, kafkaErrorPage } from '../scripts/error-docs.ts';
import { faultPage } from '../scripts/fault-docs.ts';

const page = (name: string): string => readFileSync(join(import.meta.dirname, '..', 'docs', 'reference', name), 'utf8');

test('docs/reference/cli.md tells the commands that there are (node scripts/cli-docs.ts --write)', async () => {
  assert.equal(page('cli.md'), await cliPage());
});

test('docs/reference/errors.md tells the codes that there are (node scripts/error-docs.ts --write)', async () => {
  assert.equal(page('errors.md'), await errorPage());
  assert.equal(page('kafka-errors.md'), await kafkaErrorPage());
});

test('docs/reference/configuration.md tells the fields that there are (node scripts/configuration-docs.ts --write)', async () => {
  assert.equal(page('configuration.md'), await configurationPage());
});

test('docs/faults.md tells what the ledger of seeds adds up to (node scripts/fault-docs.ts --write)', async () => {
  const faults = readFileSync(join(import.meta.dirname, '..', 'docs', 'faults.md'), 'utf8');
  assert.equal(faults, await faultPage());
});
