/** Sealed secrets: they open with their key, for their field, unchanged; nothing else does. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { Secret } from '../base/secret.ts';
import { HeadraceError } from '../model/index.ts';
import { createSealer, type Sealer } from './seal.ts';

const root = mkdtempSync(join(tmpdir(), 'headrace-seal-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

function freshFolder(): string {
  return join(root, `data-${count++}`);
}

function withKey(secretKey: string): Sealer {
  return createSealer({ dataFolder: freshFolder(), secretKey: new Secret(secretKey) });
}

function isUnresolved(error: unknown): boolean {
  return error instanceof HeadraceError && error.code === 'config_unresolved' && error.remedy !== undefined;
}

test('opens what it sealed, for every text, and never seals alike twice', () => {
  const sealer = withKey('x'.repeat(16));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const [one, other] = [sealer.seal(text, 'a.b'), sealer.seal(text, 'a.b')];
      assert.notEqual(one, other);
      assert.equal(sealer.open(one, 'a.b'), text.toWellFormed());
    }),
    { numRuns: 50 },
  );
});

test('S1: what is sealed for one field opens for no other, and not when a character is changed', () => {
  const sealer = withKey('k'.repeat(32));
  const sealed = sealer.seal('canary', 'sources.a.write_key');
  assert.doesNotMatch(sealed, /canary/);
  assert.throws(() => sealer.open(sealed, 'sources.b.write_key'), isUnresolved);
  for (let index = 0; index < sealed.length; index++) {
    const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
    // The last character of base64 has bits that mean nothing.
    if (Buffer.from(changed.split('.')[3] ?? '', 'base64url').equals(Buffer.from(sealed.split('.')[3]!, 'base64url'))) {
      if (changed.split('.').slice(0, 3).join('.') === sealed.split('.').slice(0, 3).join('.')) continue;
    }
    assert.throws(() => sealer.open(changed, 'sources.a.write_key'), isUnresolved, `character ${index}`);
  }
});

test('tells when it was sealed with another key', () => {
  const sealed = withKey('first key of sixteen').seal('x', 'a');
  assert.throws(() => withKey('second key of sixteen').open(sealed, 'a'), /another key/);
  assert.throws(() => createSealer({ dataFolder: freshFolder(), secretKey: null }).open(sealed, 'a'), /no key/);
});

test('takes a key as hexadecimal, base64 or any longer text, and refuses a short one without showing it', () => {
  const bytes = Buffer.alloc(32, 7);
  const sealed = withKey(bytes.toString('hex')).seal('x', 'a');
  for (const text of [bytes.toString('base64'), bytes.toString('base64url')])
    assert.equal(withKey(text).open(sealed, 'a'), 'x');
  assert.throws(
    () => withKey('short').seal('x', 'a'),
    (error: HeadraceError) =>
      error.path === 'HEADRACE_SECRET_KEY' && !error.message.includes('short\n') && error.remedy!.includes('openssl'),
  );
});

test('makes its key file at first use and not before, closed to others, and uses it again', () => {
  const dataFolder = freshFolder();
  const file = join(dataFolder, 'secret.key');
  const sealer = createSealer({ dataFolder, secretKey: null });
  assert.equal(existsSync(file), false);
  const sealed = sealer.seal('x', 'a');
  assert.deepEqual([statSync(file).mode & 0o777, statSync(dataFolder).mode & 0o777], [0o600, 0o700]);
  assert.equal(createSealer({ dataFolder, secretKey: null }).open(sealed, 'a'), 'x');
  assert.equal(Buffer.from(readFileSync(file, 'utf8'), 'base64').length, 32);

  writeFileSync(file, 'broken');
  assert.throws(() => createSealer({ dataFolder, secretKey: null }).open(sealed, 'a'), /no key of 32 bytes/);
});

test('processes that make the key file together end with one key', async () => {
  const dataFolder = freshFolder();
  const seal = fileURLToPath(new URL('./seal.ts', import.meta.url));
  const program = `import { createSealer } from ${JSON.stringify(seal)};
    console.log(createSealer({ dataFolder: process.argv[1], secretKey: null }).seal('x', 'a'));`;
  const run = promisify(execFile);
  const runs = [1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', program, dataFolder]));
  const sealed = (await Promise.all(runs)).map(({ stdout }) => stdout.trim());
  const sealer = createSealer({ dataFolder, secretKey: null });
  assert.deepEqual(
    sealed.map((one) => sealer.open(one, 'a')),
    ['x', 'x', 'x'],
  );
});
