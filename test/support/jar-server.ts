/** A Maven repository on loopback that breaks off, lies or refuses as it is told. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Jar {
  readonly coordinates: string;
  readonly size: number;
  readonly sha512: string;
  readonly bytes: Buffer;
}

/** What becomes of one request: the whole answer, its first half and a broken connection, or its first half and silence. */
export type Manner = 'whole' | 'cut' | 'hang' | 'corrupt' | 'missing' | 'ignore range';

export interface JarServer {
  readonly address: string;
  /** `GET path` of each request, with its range. */
  readonly requests: string[];
  /** Manners of the next requests, in order; after them `whole`. */
  readonly manners: Manner[];
  close(): void;
}

export function newJar(artifact: string, size: number): Jar {
  const bytes = randomBytes(size);
  const sha512 = createHash('sha512').update(bytes).digest('hex');
  return { coordinates: `org.example:${artifact}:1.0`, size, sha512, bytes };
}

export async function serveJars(jars: readonly Jar[]): Promise<JarServer> {
  const requests: string[] = [];
  const manners: Manner[] = [];
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers.range].filter(Boolean).join(' '));
    answer(jars, request, response, manners.shift() ?? 'whole');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `http://127.0.0.1:${port}/maven`, requests, manners, close };
}

function answer(jars: readonly Jar[], request: IncomingMessage, response: ServerResponse, manner: Manner): void {
  const jar = jars.find(({ coordinates }) => request.url === `/maven/${pathOf(coordinates)}`);
  if (jar === undefined || manner === 'missing') return void response.writeHead(404).end();
  const bytes = manner === 'corrupt' ? randomBytes(jar.size) : jar.bytes;
  const range = manner === 'ignore range' ? undefined : request.headers.range;
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  response.writeHead(range === undefined ? 200 : 206, { 'content-length': bytes.length - from });
  if (manner !== 'cut' && manner !== 'hang') return void response.end(bytes.subarray(from));
  const half = bytes.subarray(from, from + Math.floor((bytes.length - from) / 2));
  response.write(half, () => manner === 'cut' && response.destroy());
}

function pathOf(coordinates: string): string {
  const [group, artifact, version] = coordinates.split(':');
  return `${group?.replaceAll('.', '/')}/${artifact}/${version}/${artifact}-${version}.jar`;
}
