/** docs/reference/mapping.md tells the truth: directives as registered, differences as compared, examples that are accepted. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { mappingPage } from '../../scripts/mapping-docs.ts';
import { checkMessage, directives } from '../../src/mapping/index.ts';
import { mappingDifferences } from '../support/segment-mapping.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/mapping.md'), 'utf8');

test('the directives are as they are registered', async () => {
  assert.equal(page, await mappingPage(page), 'run node scripts/mapping-docs.ts');
  for (const name of directives.keys()) assert.ok(page.includes(`### \`${name}\``), name);
});

test('the differences from Segment are those that the comparison allows', () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+)` +\| (.+?) +\|$/gm)].filter(([, name]) => name! in mappingDifferences);
  assert.deepEqual(Object.fromEntries(rows.map(([, name, why]) => [name, why])), mappingDifferences);
});

test('every example of a message is accepted', () => {
  const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => parse(text!) as object);
  assert.ok(examples.length >= 4);
  for (const example of examples) {
    const message: unknown = 'message' in example ? example.message : example;
    const kind = JSON.stringify(message).includes('columns') ? 'rows' : 'events';
    assert.deepEqual(checkMessage(message, 'message', kind), [], JSON.stringify(message));
  }
});
