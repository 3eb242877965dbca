/** The peer of the collector: a bare node:http server that parses the body, prints its events and answers. No Kafka. */
import { createServer } from 'node:http';

const ANSWER = Buffer.from('{"success":true}');
let printed = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { batch?: unknown[] };
    const events = body.batch ?? [body];
    for (const event of events) printed += JSON.stringify(event).length;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 })}\n`);
});
process.on('SIGTERM', () => {
  process.stderr.write(`printed ${printed} bytes\n`);
  process.exit(0);
});
