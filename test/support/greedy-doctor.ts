/** A doctor that goes wrong, in the real one's place: it takes 400 MB, or never comes back. */
import { systemClock } from '../../src/base/clock.ts';
import { serveErrand } from '../../src/kafka/doctor/child.ts';

const kept: Buffer[] = [];

serveErrand(async (destination, clock) => {
  if (destination.name === 'hung') for (;;);
  while (kept.length < 50) {
    kept.push(Buffer.alloc(8 * 1024 * 1024, 1));
    await clock.sleep(5);
  }
}, systemClock);
