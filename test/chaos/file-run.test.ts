/**
 * A run over a file, killed with -9 and run again until it is done: nothing lost, order kept by first sight, and no more
 * doubled than was under way at each kill (Promises 2 to 5; F1, F2). Told to end, it doubles nothing (F4).
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chaosFiles, endsBefore, factsOf, UNSAVED_RECORDS } from '../support/chaos-files.ts';
import { faultTest } from '../support/fault-test.ts';
import { sharedKafka } from '../support/kafka.ts';
import { amount } from '../support/scenario.ts';

const subject = 'files';

describe('faults of a file run', () => {
  faultTest(
    { fault: 'F1', subject, title: 'killed with -9 several times and run again until it is done' },
    async (t, run) => {
      const files = await chaosFiles(t, run, { bootstrap: await sharedKafka(), rows: amount(200_000, 1_000_000) });
      const draw = run.random.stream('faults');
      let kills = 0;
      for (; kills < amount(4, 40) && run.timeLeft; kills++) {
        const child = files.start();
        const at = (await files.delivered()) + draw.between(1, Math.floor(files.rows / amount(8, 45)));
        if (await endsBefore(child, async () => (await files.delivered()) >= at)) break;
        assert.equal((await child.kill()).signal, 'SIGKILL');
      }
      run.carriedOut(kills);
      const facts = await files.finish();
      assert.equal(facts['read'], files.rows);
      assert.equal(facts['delivered'], files.rows);
      const verdict = await files.judge({ maxDuplicates: kills * UNSAVED_RECORDS });
      assert.ok(kills >= 2, `the run was over after ${kills} kills`);
      run.figure('duplicatesPerKill', verdict.counts.duplicates / kills);
    },
  );

  faultTest({ fault: 'F2', subject, title: 'killed with -9 while it starts' }, async (t, run) => {
    const files = await chaosFiles(t, run, { bootstrap: await sharedKafka(), rows: amount(20_000, 200_000) });
    const draw = run.random.stream('faults');
    let kills = 0;
    for (; kills < amount(4, 60) && run.timeLeft; kills++) {
      const child = files.start();
      // From before it has opened its state until its first batches are under way.
      await sleep(draw.between(50, 1200));
      if (!child.running) break;
      await child.kill();
    }
    run.carriedOut(kills);
    await files.finish();
    await files.judge({ maxDuplicates: kills * UNSAVED_RECORDS });
  });

  faultTest(
    { fault: 'F4', subject, title: 'SIGTERM: cancelled, and taken up again it doubles nothing' },
    async (t, run) => {
      const files = await chaosFiles(t, run, { bootstrap: await sharedKafka(), rows: amount(100_000, 500_000) });
      const draw = run.random.stream('faults');
      let stops = 0;
      for (; stops < amount(3, 30) && run.timeLeft; stops++) {
        const child = files.start();
        const at = (await files.delivered()) + draw.between(1, Math.floor(files.rows / amount(6, 35)));
        if (await endsBefore(child, async () => (await files.delivered()) >= at)) break;
        const exit = await child.stop('SIGTERM', 10_000);
        if (exit.code === 0) break; // it was over before it heard
        assert.equal(exit.code, 1, exit.stderr);
        assert.equal(factsOf(exit)['state'], 'cancelled');
      }
      run.carriedOut(stops);
      assert.equal((await files.finish())['delivered'], files.rows);
      await files.judge();
      assert.ok(stops >= 1, 'the run was over before it was stopped');
    },
  );
});
