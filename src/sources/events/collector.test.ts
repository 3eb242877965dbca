/** The collector as a client sees it: paths, write keys, limits, answers. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Secret } from '../../base/secret.ts';
import { WRITE_KEY, basic, eventsSource, startCollector } from '../../../test/support/collector.ts';
import type { RunningCollector } from '../../../test/support/collector.ts';
import { eventTypes } from '../../model/index.ts';

const calls: Record<string, Record<string, unknown>> = {
  track: { userId: 'u1', event: 'Order Completed' },
  identify: { userId: 'u1', traits: { plan: 'pro' } },
  page: { anonymousId: 'a1', name: 'Home' },
  screen: { anonymousId: 'a1', name: 'Cart' },
  group: { userId: 'u1', groupId: 'g1' },
  alias: { userId: 'u2', previousId: 'u1' },
};

describe('collector', { timeout: 30_000 }, () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await startCollector();
  });
  after(() => collector.close());
  beforeEach(() => {
    collector.intake.calls.length = 0;
    collector.intake.draining = false;
    collector.intake.answer = () => ({ state: 'safe' });
    collector.observed.length = 0;
    collector.useSources([eventsSource()]);
  });

  for (const type of eventTypes) {
    for (const path of [`/v1/${type}`, `/v1/${type[0]}`]) {
      test(`POST ${path} takes a ${type} call`, async () => {
        const answer = await collector.post(path, calls[type]);
        assert.deepEqual([answer.status, answer.body], [200, { success: true }]);
        const [event] = collector.intake.events;
        assert.equal(event?.['type'], type);
        assert.equal(collector.intake.calls[0]?.source, 'website');
        assert.equal(collector.intake.calls[0]?.events[0]?.stream, type);
      });
    }
  }

  for (const path of ['/v1/batch', '/v1/b', '/v1/import', '/beacon/v1/batch']) {
    test(`POST ${path} takes a batch of all calls`, async () => {
      const batch = eventTypes.map((type) => ({ type, ...calls[type] }));
      const answer = await collector.post(path, { batch });
      assert.deepEqual([answer.status, answer.body], [200, { success: true, rejected: [] }]);
      assert.deepEqual(
        collector.intake.events.map((event) => event['type']),
        [...eventTypes],
      );
      assert.equal(collector.intake.calls.length, 1, 'a batch is handed over as one');
    });
  }

  test('one bad event in a batch does not lose the others', async () => {
    const batch = [
      { type: 'track', ...calls['track'] },
      { type: 'track', userId: 'u1' },
      'no event',
      { type: 'identify', userId: '', anonymousId: '' },
      { type: 'trakc', userId: 'u1' },
      { type: 'track', ...calls['track'], properties: { text: 'x'.repeat(40_000) } },
      { type: 'page', ...calls['page'] },
    ];
    const answer = await collector.post('/v1/batch', { batch });
    assert.equal(answer.status, 200);
    assert.equal(answer.body['success'], true);
    const rejected = answer.body['rejected'] as Record<string, unknown>[];
    assert.deepEqual(
      rejected.map(({ index, code, field }) => [index, code, field]),
      [
        [1, 'event_invalid', 'event'],
        [2, 'event_invalid', null],
        [3, 'no_user_anon_id', 'userId'],
        [4, 'event_invalid', 'type'],
        [5, 'event_too_large', null],
      ],
    );
    for (const { message, remedy } of rejected) assert.ok(message && remedy);
    assert.match(String(rejected[3]?.['remedy']), /Did you mean track/);
    assert.deepEqual(
      collector.intake.events.map((event) => event['type']),
      ['track', 'page'],
    );
    assert.deepEqual(
      collector.observed.map(({ source, status, accepted, rejected: bad }) => [source, status, accepted, bad]),
      [['website', 200, 2, 5]],
    );
  });

  test('a batch of only bad events is answered without asking the intake', async () => {
    const answer = await collector.post('/v1/batch', { batch: [{}] });
    assert.equal(answer.status, 200);
    assert.equal((answer.body['rejected'] as unknown[]).length, 1);
    assert.equal(collector.intake.calls.length, 0);
  });

  const refused: [string, string, unknown, string, string | undefined][] = [
    ['bad JSON', '/v1/track', '{"userId": "u1",', 'json_invalid', undefined],
    ['an empty body', '/v1/track', '', 'json_invalid', undefined],
    ['JSON that is no object', '/v1/track', '[1]', 'event_invalid', undefined],
    ['invalid UTF-8', '/v1/track', Buffer.from('{"userId":"\xff","event":"x"}', 'latin1'), 'json_invalid', undefined],
    ['no ids', '/v1/track', { event: 'x' }, 'no_user_anon_id', 'userId'],
    ['empty ids', '/v1/track', { event: 'x', userId: '', anonymousId: '' }, 'no_user_anon_id', 'userId'],
    ['an id that is an object', '/v1/track', { event: 'x', userId: {} }, 'event_invalid', 'userId'],
    ['track without event', '/v1/track', { userId: 'u' }, 'event_invalid', 'event'],
    ['group without groupId', '/v1/group', { userId: 'u' }, 'event_invalid', 'groupId'],
    ['alias without previousId', '/v1/alias', { userId: 'u' }, 'event_invalid', 'previousId'],
    ['alias without userId', '/v1/alias', { anonymousId: 'a', previousId: 'p' }, 'event_invalid', 'userId'],
    ['a long messageId', '/v1/page', { userId: 'u', messageId: 'm'.repeat(100) }, 'event_invalid', 'messageId'],
    ['a messageId that is a number', '/v1/page', { userId: 'u', messageId: 7 }, 'event_invalid', 'messageId'],
    ['a context that is a list', '/v1/page', { userId: 'u', context: [] }, 'event_invalid', 'context'],
    ['an event over 32 KB', '/v1/page', { userId: 'u', name: 'x'.repeat(32_768) }, 'event_too_large', undefined],
    ['a batch that is no object', '/v1/batch', '[]', 'batch_invalid', 'batch'],
    ['a batch without list', '/v1/batch', { batch: {} }, 'batch_invalid', 'batch'],
    ['a batch with a wrong context', '/v1/batch', { batch: [], context: 'x' }, 'batch_invalid', 'context'],
    ['a batch with bad JSON', '/v1/batch', '{"batch":[{]}', 'json_invalid', undefined],
    ['a batch of 2,501 events', '/v1/batch', { batch: Array(2501).fill(0) }, 'event_too_large', 'batch'],
    ['a batch over 500 KB', '/v1/batch', { batch: [], x: 'x'.repeat(512_000) }, 'event_too_large', 'batch'],
  ];
  for (const [what, path, body, code, field] of refused) {
    test(`${what} is 400 ${code}`, async () => {
      const answer = await collector.post(path, body);
      assert.equal(answer.status, 400);
      assert.equal(answer.body['success'], false);
      assert.equal(answer.body['code'], code);
      assert.equal(answer.body['field'], field);
      assert.ok(answer.body['message'] && answer.body['remedy']);
      assert.equal(collector.intake.calls.length, 0);
      assert.deepEqual([collector.observed[0]?.status, collector.observed[0]?.code], [400, code]);
    });
  }

  test('limits are to the byte, and those of the source', async () => {
    const body = JSON.stringify({ userId: 'u', name: 'é'.repeat(100) });
    const bytes = Buffer.byteLength(body);
    collector.useSources([eventsSource({ maxEventBytes: bytes, maxBatchBytes: bytes + 12, maxBatchEvents: 1 })]);
    assert.equal((await collector.post('/v1/page', body)).status, 200);
    assert.equal((await collector.post('/v1/page', `${body} `)).status, 400);
    const inBatch = JSON.stringify({ type: 'page', userId: 'u', name: 'é'.repeat(94), x: '' });
    collector.useSources([eventsSource({ maxEventBytes: Buffer.byteLength(inBatch) })]);
    const filler = { type: 'page', userId: 'u' };
    const fits = await collector.post('/v1/batch', `{"batch":[${inBatch},${JSON.stringify(filler)}]}`);
    assert.deepEqual(fits.body['rejected'], []);
    const over = inBatch.replace('"x":""', '"x":"1"');
    const tooLarge = await collector.post('/v1/batch', `{"batch":[${over},${JSON.stringify(filler)}]}`);
    assert.equal((tooLarge.body['rejected'] as { code: string }[])[0]?.code, 'event_too_large');
  });

  test('a key in the body brings its own source’s limits', async () => {
    const strict = { name: 'strict', writeKey: new Secret('strict-key'), maxEventBytes: 200, maxBatchBytes: 300 };
    collector.useSources([eventsSource(), eventsSource({ ...strict, maxBatchEvents: 1 })]);
    const page = { userId: 'u', name: 'x'.repeat(200) };
    const batch = [{ type: 'page', userId: 'u' }];
    const tries: [string, unknown, number][] = [
      ['/v1/page', page, 400],
      ['/v1/batch', { batch, filler: 'x'.repeat(300) }, 400],
      ['/v1/batch', { batch: [...batch, ...batch] }, 400],
      ['/v1/batch', { batch }, 200],
    ];
    for (const [path, body, status] of tries) {
      const strictly = await collector.post(path, { ...(body as object), writeKey: 'strict-key' }, {});
      assert.equal(strictly.status, status, JSON.stringify(strictly.body));
      const usual = await collector.post(path, { ...(body as object), writeKey: WRITE_KEY }, {});
      assert.equal(usual.status, 200);
    }
  });

  test('the write key is taken from wherever SDKs put it', async () => {
    const { track } = calls;
    const ways: [string, unknown, Record<string, string>][] = [
      ['/v1/track', track, { authorization: basic(WRITE_KEY) }],
      ['/v1/track', track, { authorization: basic(WRITE_KEY, '') }],
      ['/v1/track', track, { authorization: basic(WRITE_KEY, ':ignored').replace('Basic', 'basic') }],
      ['/v1/track', track, { writeKey: WRITE_KEY }],
      ['/v1/track', { ...track, writeKey: WRITE_KEY }, {}],
      ['/v1/track', { ...track, writeKey: WRITE_KEY }, { authorization: 'Bearer abc' }],
      ['/v1/track', { ...track, writeKey: WRITE_KEY }, { authorization: basic('') }],
      ['/v1/batch', { batch: [{ type: 'track', ...track }], writeKey: WRITE_KEY }, {}],
      [`/beacon/v1/batch?writeKey=${WRITE_KEY}`, { batch: [{ type: 'track', ...track }] }, {}],
    ];
    for (const [path, body, headers] of ways) {
      const answer = await collector.post(path, body, headers);
      assert.equal(answer.status, 200, JSON.stringify([path, body, headers, answer.body]));
    }
    assert.equal(collector.intake.calls.length, ways.length);
    assert.ok(collector.intake.events.every((event) => !JSON.stringify(event).includes(WRITE_KEY)));
  });

  test('an unknown or missing write key is 401, before the body is read', async () => {
    for (const headers of [{ authorization: basic('other') }, { writeKey: `${WRITE_KEY} ` + 'x' }, {}] as Record<
      string,
      string
    >[]) {
      const answer = await collector.post('/v1/track', calls['track'], headers);
      assert.deepEqual([answer.status, answer.body['code']], [401, 'write_key_unknown']);
    }
    assert.equal((await collector.post('/v1/track', '{', { authorization: basic('other') })).status, 401);
    const inBody = await collector.post('/v1/track', { ...calls['track'], writeKey: 'other' }, {});
    assert.equal(inBody.status, 401);
    assert.equal((await collector.post(`/v1/track?writeKey=${WRITE_KEY}`, calls['track'], {})).status, 401);
    assert.equal(collector.intake.calls.length, 0);
  });

  test('each write key speaks for its own source, and a changed configuration counts at once', async () => {
    collector.useSources([eventsSource(), eventsSource({ name: 'app', writeKey: new Secret('app-key') })]);
    await collector.post('/v1/track', calls['track'], { authorization: basic('app-key') });
    assert.equal(collector.intake.calls[0]?.source, 'app');
    collector.useSources([eventsSource({ writeKey: new Secret('new-key') })]);
    assert.equal((await collector.post('/v1/track', calls['track'])).status, 401);
  });

  test('one connection may speak for several sources', async () => {
    collector.useSources([eventsSource(), eventsSource({ name: 'app', writeKey: new Secret('app-key') })]);
    const shown: Record<string, string>[] = [
      { authorization: 'Bearer same', writeKey: WRITE_KEY },
      { authorization: 'Bearer same', writeKey: 'app-key' },
      { authorization: basic('app-key') },
      { authorization: basic(WRITE_KEY) },
      { authorization: basic(WRITE_KEY) },
    ];
    // One after the other they use the same connection.
    for (const headers of shown) await collector.post('/v1/track', calls['track'], headers);
    assert.deepEqual(
      collector.intake.calls.map((call) => call.source),
      ['website', 'app', 'app', 'website', 'website'],
    );
    collector.useSources([eventsSource({ name: 'renamed' })]);
    await collector.post('/v1/track', calls['track']);
    assert.equal(collector.intake.calls.at(-1)?.source, 'renamed');
  });

  test('a disabled source is 429 with Retry-After: SDKs keep the event', async () => {
    collector.useSources([eventsSource({ enabled: false })]);
    for (const headers of [{ authorization: basic(WRITE_KEY) }, {}] as Record<string, string>[]) {
      const answer = await collector.post('/v1/track', { ...calls['track'], writeKey: WRITE_KEY }, headers);
      assert.deepEqual([answer.status, answer.body['code']], [429, 'source_disabled']);
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
    }
  });

  test('what Kafka does not take in time is 429 with the time to wait', async () => {
    collector.intake.answer = () => ({ state: 'unavailable', retryAfterSeconds: 2.5, reason: 'Kafka is away.' });
    const answer = await collector.post('/v1/track', calls['track']);
    assert.deepEqual([answer.status, answer.body['code']], [429, 'overloaded']);
    assert.equal(answer.headers.get('retry-after'), '3');
    assert.equal(answer.body['message'], 'Kafka is away.');
  });

  test('a fault of the intake is 500, and never a 200', async () => {
    collector.intake.answer = () => Promise.reject(new Error('secret detail'));
    const answer = await collector.post('/v1/track', calls['track']);
    assert.deepEqual([answer.status, answer.body['code']], [500, 'internal']);
    assert.ok(!JSON.stringify(answer.body).includes('secret detail'));
    assert.match(String(collector.observed[0]?.fault), /secret detail/);
  });

  test('while draining it is 503 and the connection ends', async () => {
    collector.intake.draining = true;
    const answer = await collector.post('/v1/track', calls['track']);
    assert.deepEqual([answer.status, answer.body['code']], [503, 'draining']);
    assert.equal(answer.headers.get('connection'), 'close');
    assert.ok(answer.headers.get('retry-after'));
    assert.equal((await collector.post('/v1/track', '{')).status, 503, 'before the body is looked at');
  });

  test('the answer waits for the intake', async () => {
    let say: (answer: { state: 'safe' }) => void = () => {};
    collector.intake.answer = () => new Promise((resolve) => (say = resolve));
    let answered = false;
    const posting = collector.post('/v1/track', calls['track']).then((answer) => {
      answered = true;
      return answer;
    });
    const probe = await collector.post('/v1/m', {});
    assert.equal(probe.status, 200);
    while (collector.intake.calls.length === 0) await collector.post('/v1/m', {});
    assert.equal(answered, false);
    say({ state: 'safe' });
    assert.equal((await posting).status, 200);
  });

  test('an id that the collector made is told to the sender', async () => {
    const made = await collector.post('/v1/track', calls['track']);
    const given = await collector.post('/v1/track', { ...calls['track'], messageId: 'mine' });
    const [first, second] = collector.intake.events;
    assert.match(String(first?.['messageId']), /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    assert.equal(made.headers.get('x-message-id'), first?.['messageId']);
    assert.equal(given.headers.get('x-message-id'), null);
    assert.equal(second?.['messageId'], 'mine');
  });

  test('the body is JSON whatever the Content-Type, packed or not', async () => {
    const text = JSON.stringify(calls['track']);
    const packed: [string, Uint8Array | string][] = [
      ['identity', text],
      ['gzip', gzipSync(text)],
      ['GZIP', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['br', brotliCompressSync(text)],
      ['zstd', zstdCompressSync(text)],
    ];
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8'])
      for (const [encoding, body] of packed) {
        const headers = { authorization: basic(WRITE_KEY), 'content-type': type, 'content-encoding': encoding };
        assert.equal((await collector.post('/v1/track', body, headers)).status, 200, `${type} ${encoding}`);
      }
    for (const [encoding, body] of [
      ['gzip', text],
      ['gzip, gzip', gzipSync(gzipSync(text))],
      ['compress', text],
    ] as const) {
      const headers = { authorization: basic(WRITE_KEY), 'content-encoding': encoding };
      const answer = await collector.post('/v1/track', body, headers);
      assert.deepEqual([answer.status, answer.body['field']], [400, 'Content-Encoding'], encoding);
    }
  });

  test('a byte order mark does not matter', async () => {
    assert.equal((await collector.post('/v1/track', `\ufeff${JSON.stringify(calls['track'])}`)).status, 200);
  });

  test('pages of other sites may post, and browsers may remember it', async () => {
    const origin = 'https://shop.example';
    const preflight = await fetch(`${collector.url}/v1/t`, { method: 'OPTIONS', headers: { origin } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
    assert.equal(preflight.headers.get('access-control-allow-credentials'), 'true');
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization, content-type/);
    assert.ok(Number(preflight.headers.get('access-control-max-age')) >= 600);
    for (const key of [WRITE_KEY, 'wrong']) {
      const answer = await collector.post('/v1/t', calls['track'], { origin, authorization: basic(key) });
      assert.equal(answer.headers.get('access-control-allow-origin'), origin);
      assert.equal(answer.headers.get('vary'), 'Origin');
    }
  });

  test('other paths are not the collector’s, other methods are refused', async () => {
    for (const path of ['/', '/v1', '/v1/tracks', '/v1/track/', '/api/syncs', '/V1/track'])
      assert.equal((await collector.post(path, {})).status, 404, path);
    const answer = await fetch(`${collector.url}/v1/track`);
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST, OPTIONS']);
  });
});
