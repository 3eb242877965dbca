/** Fields cut until a message fits: valid JSON and UTF-8 afterwards, all other bytes as they were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isUtf8 } from 'node:buffer';
import type { Message } from '../model/index.ts';
import { TRUNCATED_HEADER, compileTruncation } from './truncate.ts';

function messageOf(text: string): Message {
  return {
    topic: 't',
    partition: null,
    partitionKey: null,
    key: null,
    value: Buffer.from(text),
    headers: [['h', Buffer.from('x')]],
    timestampMs: 0,
  };
}

/** Over a limit of so many bytes of value and headers. */
function over(limit: number): (message: Message) => number {
  return ({ value, headers }) =>
    value!.length + headers.reduce((sum, [name, bytes]) => sum + name.length + (bytes?.length ?? 0), 0) - limit;
}

test('text is cut at its end as far as needed, and the header names the field', () => {
  const cut = compileTruncation(['$.properties.body'])(
    messageOf(`{"id": 1.10, "properties" : {"body":"${'x'.repeat(1000)}", "z":[ 1 ]}}`),
    over(200),
  );
  assert.ok(cut);
  assert.equal(over(200)(cut), 0, 'not a byte more than needed');
  const text = String(cut.value);
  assert.match(text, /^\{"id": 1\.10, "properties" : \{"body":"x+", "z":\[ 1 \]\}\}$/, 'all else keeps its bytes');
  assert.deepEqual(
    cut.headers.map(([name, value]) => [name, String(value)]),
    [
      ['h', 'x'],
      [TRUNCATED_HEADER, '$.properties.body'],
    ],
  );
});

test('fields are cut in their order, the next only when the first is not enough; what is no text becomes null', () => {
  const message = messageOf(`{"a":"${'a'.repeat(100)}","list":[${'1,'.repeat(200)}1],"b":"${'b'.repeat(100)}"}`);
  const truncate = compileTruncation(['$.a', '$.list', '$.b', '$.missing']);
  assert.match(String(truncate(message, over(560))!.value), /^\{"a":"a{1,60}","list":\[1,/);
  const further = truncate(message, over(220))!;
  assert.equal(String(further.value), `{"a":"","list":null,"b":"${'b'.repeat(100)}"}`);
  assert.equal(String(further.headers.at(-1)![1]), '$.a, $.list');
  const all = truncate(message, over(1))!;
  assert.equal(String(all.value), '{"a":"","list":null,"b":""}', 'as short as it gets');
  assert.equal(truncate(all, over(1)), null, 'and then nothing can be cut');
});

test('cut again, the header names each field once', () => {
  const truncate = compileTruncation(['$.a', '$.b']);
  const once = truncate(messageOf(`{"a":"${'a'.repeat(100)}","b":"${'b'.repeat(100)}"}`), over(200))!;
  const twice = truncate(once, over(100))!;
  assert.equal(twice.headers.filter(([name]) => name === TRUNCATED_HEADER).length, 1);
  assert.equal(String(twice.headers.at(-1)![1]), '$.a, $.b');
});

test('without the field, without a value and with a value that is no JSON there is nothing to cut', () => {
  const truncate = compileTruncation(['$.a']);
  for (const text of ['{}', '[]', '"text"', 'plain text', '{"a":', '{"b":"a"}', '{"a":""}', '{"a":7}'])
    assert.equal(truncate(messageOf(text), over(1)), null, text);
  assert.equal(truncate({ ...messageOf(''), value: null }, over(1)), null);
});

test('of any text what is left is valid UTF-8 and JSON, a prefix of it, and fits', () => {
  const texts = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('😀', 'é', '"', '\\', '\u0000', '\ud83d')),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(texts, fc.boolean(), fc.nat(400), (parts, escaped, spare) => {
      const body = parts.join('');
      let text = JSON.stringify({ before: 1, body, after: [body.length] });
      if (escaped)
        text = text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
      const message = messageOf(text);
      const limit = over(0)(messageOf('{"before":1,"body":"","after":[1000]}')) + 30 + spare;
      if (over(limit)(message) <= 0) return;
      const cut = compileTruncation(['$.body'])(message, over(limit));
      assert.ok(cut);
      assert.ok(over(limit)(cut) <= 0);
      assert.ok(isUtf8(cut.value!));
      const value = JSON.parse(String(cut.value)) as { before: number; body: string; after: number[] };
      const whole = (JSON.parse(text) as { body: string }).body;
      assert.ok(whole.startsWith(value.body));
      assert.deepEqual([value.before, value.after], [1, [body.length]]);
    }),
  );
});
