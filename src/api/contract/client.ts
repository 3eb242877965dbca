/** The service of a server that runs elsewhere, asked over its API. */
import { parseJson } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';
import { HeadraceError, type RunFacts } from '../../model/index.ts';
import { errorOf } from './problem.ts';
import type { HeadraceService, RunProgress, TailMessage } from './service.ts';

interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** `address`: e.g. `http://127.0.0.1:8080`. Every method throws HeadraceError: the server's own, or that it cannot be reached. */
export function createClient(address: string, token: Secret): HeadraceService {
  const http = new Http(address.replace(/\/+$/, ''), token);
  const name = encodeURIComponent;
  return {
    plan: (objects, { prune }) => http.json('/api/plan', { body: { objects, prune } }),
    apply: (objects, { prune }) => http.json('/api/apply', { body: { objects, prune } }),
    export: () => http.json('/api/objects'),
    check: (destination, over) => http.json(`/api/destinations/${name(destination)}/check`, { body: { over } }),
    topics: (destination, over, all) =>
      http.json(`/api/destinations/${name(destination)}/topics`, { body: { over, all } }),
    preview: (sync, options) => http.json(`/api/syncs/${name(sync)}/preview`, { body: options }),
    run: (sync, cause, signal) => followRun(http, sync, cause, signal),
    runs: (sync, limit) => http.json(`/api/runs?limit=${limit}${sync === null ? '' : `&sync=${name(sync)}`}`),
    cancel: (run) => http.json(`/api/runs/${name(run)}/cancel`, { method: 'POST' }),
    reset: (sync) => http.json(`/api/syncs/${name(sync)}/reset`, { method: 'POST' }),
    setEnabled: (object, enabled) =>
      http.json(`/api/objects/${name(object)}/${enabled ? 'enable' : 'disable'}`, { method: 'POST' }),
    deadLetters: (sync, limit) => http.json(`/api/syncs/${name(sync)}/dead-letters?limit=${limit}`),
    redrive: (sync) => http.json(`/api/syncs/${name(sync)}/dead-letters/redrive`, { method: 'POST' }),
    clearDeadLetters: (sync, code) => http.json(`/api/syncs/${name(sync)}/dead-letters/clear`, { body: { code } }),
    tail: (topic, options, signal) =>
      http.lines<TailMessage>(`/api/topics/${name(topic)}/tail`, { body: options, signal }),
    status: () => http.json('/api/status'),
  };
}

/** Ends by cancelling, not by hanging up, so that the end of the run is still told. */
async function* followRun(
  http: Http,
  sync: string,
  cause: RunFacts['cause'],
  signal: AbortSignal,
): AsyncIterable<RunProgress> {
  const hangUp = new AbortController();
  let run: string | null = null;
  const stop = (): void => {
    if (run === null) hangUp.abort();
    else http.json(`/api/runs/${run}/cancel`, { method: 'POST' }).catch(() => hangUp.abort());
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const lines = http.lines<RunProgress>(`/api/syncs/${encodeURIComponent(sync)}/run`, {
      body: { cause },
      signal: hangUp.signal,
    });
    for await (const progress of lines) {
      run ??= progress.run.id;
      yield progress;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

class Http {
  readonly #address: string;
  readonly #token: Secret;

  constructor(address: string, token: Secret) {
    this.#address = address;
    this.#token = token;
  }

  async json<T>(path: string, ask: Ask = {}): Promise<T> {
    const text = await (await this.#ask(path, ask)).text();
    return (text === '' ? undefined : parseJson(text)) as T;
  }

  /** JSON lines as they come; ends when the signal aborts. */
  async *lines<T>(path: string, ask: Ask): AsyncGenerator<T, void, undefined> {
    try {
      const response = await this.#ask(path, ask);
      for await (const line of linesOf(response.body)) {
        const item = parseJson(line) as T | { problem: unknown };
        const error = typeof item === 'object' && item !== null && 'problem' in item ? errorOf(item.problem) : null;
        if (error !== null) throw error;
        yield item as T;
      }
    } catch (error) {
      if (ask.signal?.aborted === true) return;
      throw error instanceof HeadraceError ? error : this.#unreachable(error);
    }
  }

  async #ask(path: string, { method, body, signal }: Ask): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token.reveal()}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(this.#address + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers,
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      throw signal?.aborted === true ? error : this.#unreachable(error);
    });
    if (response.ok) return response;
    throw await this.#refusal(response);
  }

  async #refusal(response: Response): Promise<HeadraceError> {
    const text = await response.text().catch(() => '');
    if (response.status === 401) {
      return new HeadraceError('unauthorized', `The server at ${this.#address} does not take the token.`, {
        remedy: 'Set HEADRACE_TOKEN to the token of that server.',
      });
    }
    const told = errorOf(parseOrNull(text));
    if (told !== null) return told;
    return new HeadraceError('internal', `The server at ${this.#address} answered ${response.status}.`, {
      remedy: 'Look into its log; is it Headrace that listens there?',
    });
  }

  #unreachable(error: unknown): HeadraceError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    return new HeadraceError('conflict', `The server at ${this.#address} cannot be reached (${reason}).`, {
      remedy: 'Check that it runs, and the address.',
      cause: error,
    });
  }
}

async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string, void, undefined> {
  if (body === null) return;
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    // An empty line only says that the server is still there.
    for (const line of lines) if (line !== '') yield line;
  }
}

function parseOrNull(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}
