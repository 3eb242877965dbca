/** `/api/openapi.json`: the API described in its own terms. A test compares it with the routes that there are. */
import type { FastifyInstance } from 'fastify';
import { errorCodes } from '../../model/index.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Operation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  /** Query parameters by name. */
  readonly query?: Readonly<Record<string, Schema>>;
  /** Fields of the JSON body. */
  readonly body?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** `lines`: JSON lines, one item each. */
  readonly answers: 'json' | 'lines' | 'text' | 'nothing';
}

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean', default: false };
const limit: Schema = { type: 'integer', minimum: 1, maximum: 1000 };
const objects: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['kind', 'name', 'body'],
    properties: {
      kind: { enum: ['destination', 'source', 'sync'] },
      name: text,
      body: { type: 'object', description: 'As in the configuration file; paths are absolute.' },
    },
  },
};
const over: Schema = { ...objects, description: 'Laid over what is stored for this question; nothing is stored.' };

export const operations: readonly Operation[] = [
  { method: 'get', path: '/healthz', summary: 'The process is alive.', answers: 'json' },
  { method: 'get', path: '/livez', summary: 'The same as /healthz.', answers: 'json' },
  {
    method: 'get',
    path: '/readyz',
    summary: '200 when it can take work, also when Kafka is away; 503 while it starts or drains.',
    query: { verbose: { ...text, description: 'Present: with the destinations.' } },
    answers: 'json',
  },
  { method: 'get', path: '/metrics', summary: "Metrics in Prometheus' text form.", answers: 'text' },
  { method: 'get', path: '/', summary: 'A plain page: addresses and what is running.', answers: 'text' },
  { method: 'get', path: '/api/openapi.json', summary: 'This description.', answers: 'json' },
  { method: 'get', path: '/api/status', summary: 'What is configured and running, with counts.', answers: 'json' },
  {
    method: 'get',
    path: '/api/objects',
    summary: "All objects as written, secrets' values left out.",
    answers: 'json',
  },
  {
    method: 'post',
    path: '/api/plan',
    summary: 'What apply would do; stores nothing.',
    body: { objects, prune: flag },
    required: ['objects'],
    answers: 'json',
  },
  {
    method: 'post',
    path: '/api/apply',
    summary: 'Stores the objects all at once; running syncs take the change.',
    body: { objects, prune: flag },
    required: ['objects'],
    answers: 'json',
  },
  { method: 'post', path: '/api/objects/{name}/enable', summary: 'Switches an object on.', answers: 'nothing' },
  { method: 'post', path: '/api/objects/{name}/disable', summary: 'Switches an object off.', answers: 'nothing' },
  {
    method: 'post',
    path: '/api/destinations/{name}/check',
    summary: 'Test Connection: one entry a step.',
    body: { over },
    answers: 'json',
  },
  { method: 'get', path: '/api/destinations/{name}/topics', summary: 'The topics of the cluster.', answers: 'json' },
  {
    method: 'post',
    path: '/api/destinations/{name}/topics',
    summary: 'The same, with objects laid over what is stored; `all`: internal ones too.',
    body: { over, all: { type: 'boolean' } },
    answers: 'json',
  },
  {
    method: 'post',
    path: '/api/syncs/{name}/preview',
    summary: 'Exactly what would be sent.',
    body: {
      limit: { ...limit, default: 10 },
      record: { description: "A raw event or a row, instead of the source's own records." },
      recordText: { type: 'string', description: 'The text it was read from: a row of JSON lines keeps its bytes.' },
      at: { ...text, format: 'date-time' },
      run: text,
      over,
    },
    answers: 'json',
  },
  {
    method: 'post',
    path: '/api/syncs/{name}/run',
    summary: 'Runs a sync now; the lines tell its progress. Hanging up cancels the run, unless detached.',
    body: { cause: { enum: ['api', 'manual'] }, detach: flag },
    answers: 'lines',
  },
  { method: 'post', path: '/api/syncs/{name}/reset', summary: 'The next run begins anew.', answers: 'nothing' },
  {
    method: 'get',
    path: '/api/syncs/{name}/dead-letters',
    summary: 'Rejected messages and why.',
    query: { limit: { ...limit, default: 100 } },
    answers: 'json',
  },
  {
    method: 'post',
    path: '/api/syncs/{name}/dead-letters/redrive',
    summary: 'Sends them again, each once; those that are delivered are forgotten.',
    answers: 'json',
  },
  {
    method: 'post',
    path: '/api/syncs/{name}/dead-letters/clear',
    summary: 'Forgets them, or those of one code.',
    body: { code: text },
    answers: 'json',
  },
  {
    method: 'get',
    path: '/api/runs',
    summary: 'Runs, newest first.',
    query: { sync: text, limit: { ...limit, default: 20 } },
    answers: 'json',
  },
  { method: 'post', path: '/api/runs/{id}/cancel', summary: 'Cancels a run and answers its end.', answers: 'json' },
  {
    method: 'post',
    path: '/api/topics/{topic}/tail',
    summary: 'Messages of a topic as they arrive.',
    body: { destination: text, fromStart: flag, over },
    answers: 'lines',
  },
];

export function addOpenApi(app: FastifyInstance): void {
  const description = describe();
  app.get('/api/openapi.json', () => description);
}

function describe(): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method] = describeOperation(operation);
  return {
    openapi: '3.1.0',
    info: { title: 'Headrace', version: '1', description: 'The management API. The collector is described in docs/.' },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: problem },
    },
  };
}

const problem: Schema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' },
    detail: text,
    code: { enum: Object.keys(errorCodes) },
    path: text,
    remedy: text,
  },
};

function describeOperation({ path, summary, query = {}, body, required = [], answers }: Operation): Schema {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: text,
  }));
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema }));
  const bodySchema = { type: 'object', required, properties: body };
  return {
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined
      ? {}
      : { requestBody: { required: required.length > 0, content: { 'application/json': { schema: bodySchema } } } }),
    ...(path.startsWith('/api') ? { security: [{ token: [] }] } : {}),
    responses: {
      ...responses[answers],
      default: {
        description: 'What went wrong.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const responses: Readonly<Record<Operation['answers'], Schema>> = {
  json: { 200: { description: 'The answer.', content: { 'application/json': {} } } },
  lines: { 200: { description: 'One JSON value a line.', content: { 'application/x-ndjson': {} } } },
  text: { 200: { description: 'The answer.', content: { 'text/plain': {}, 'text/html': {} } } },
  nothing: { 204: { description: 'Done.' } },
};
