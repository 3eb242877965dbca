/** Test Connection in a process of its own, started by `kafka/doctor` and by nobody else. A front door. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { systemClock } from './base/clock.ts';
import { serveErrand } from './kafka/doctor/child.ts';
import { examine } from './kafka/doctor/examination.ts';

enableCompileCache(join(import.meta.dirname, '..', '.cache', 'compile'));
serveErrand(examine, systemClock);
