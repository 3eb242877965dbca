/** Files to read: the same for every run, made from a counter. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';

/** JSON lines of exactly 400 bytes each: a track event as the SDKs send it. */
export async function writeEvents(path: string, count: number): Promise<void> {
  await writeLines(path, count, eventLine);
}

/** A track of exactly `bytes` bytes. */
export function eventLine(i: number, bytes = 400): string {
  const event = {
    messageId: `m-${String(i).padStart(12, '0')}`,
    type: 'track',
    event: 'Order Completed',
    userId: `user-${i % 50_000}`,
    timestamp: '2026-01-01T00:00:00.000Z',
    properties: {
      orderId: `o-${i}`,
      total: (i % 10_000) / 100,
      currency: 'EUR',
      items: [
        { sku: `sku-${i % 977}`, quantity: 1 + (i % 5) },
        { sku: `sku-${i % 313}`, quantity: 2 },
      ],
    },
    context: { locale: 'de-DE', library: { name: 'analytics-node', version: '3.1.0' } },
  };
  const text = JSON.stringify(event);
  return `${text.slice(0, -1)},"note":"${'x'.repeat(bytes - text.length - 10)}"}`;
}

/** Ten columns: numbers, decimals, text, a date, a truth value. Returns the mean bytes of the flat JSON a row becomes. */
export async function writeRows(path: string, count: number): Promise<void> {
  await writeLines(path, count, rowLine, 'id,customer_id,email,name,city,total,currency,items,paid,created_at');
}

function rowLine(i: number): string {
  const cities = ['Berlin', 'Paris', 'São Paulo', '東京', 'New York', 'Kyiv', '"Halle, Saale"'];
  return `${i},${100_000 + (i % 50_000)},user${i % 50_000}@example.com,Customer Number ${i % 50_000},${cities[i % cities.length]},${((i * 37) % 100_000) / 100},EUR,${1 + (i % 9)},${i % 3 === 0},2026-01-${String(1 + (i % 28)).padStart(2, '0')}T12:00:00Z`;
}

async function writeLines(path: string, count: number, line: (i: number) => string, header?: string): Promise<void> {
  const out = createWriteStream(path);
  let block = header === undefined ? '' : `${header}\n`;
  for (let i = 0; i < count; i++) {
    block += `${line(i)}\n`;
    if (block.length < 1 << 20) continue;
    if (!out.write(block)) await once(out, 'drain');
    block = '';
  }
  out.end(block);
  await finished(out);
}
