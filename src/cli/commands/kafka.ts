/** `headrace kafka start|stop`: the local Apache Kafka of `npm start`. */
import type { Command } from 'commander';
import { examples, withJson, type Context } from '../context.ts';

interface KafkaOptions {
  readonly data?: string;
  readonly json?: boolean;
}

export function addKafka(program: Command, context: Context): void {
  const kafka = program.command('kafka').description('the local Apache Kafka, on 127.0.0.1:9092');
  const data = ['--data <folder>', 'its data stay in kafka/ of this folder (HEADRACE_DATA, else ./data)'] as const;

  const start = kafka
    .command('start')
    .description('start it; it goes on after this command')
    .option(...data);
  withJson(start).action(async (options: KafkaOptions) => {
    const { bootstrap, pid, started } = await context.doors.startKafka(options.data ?? null);
    const text = `Kafka ${started ? 'runs' : 'ran already'} on ${bootstrap} (process ${pid}).`;
    context.output.result(options.json === true, { bootstrap, pid, started }, text);
  });
  examples(start, ['kafka start']);

  const stop = kafka
    .command('stop')
    .description('stop it; its data stay')
    .option(...data);
  withJson(stop).action(async (options: KafkaOptions) => {
    const stopped = await context.doors.stopKafka(options.data ?? null);
    context.output.result(options.json === true, { stopped }, stopped ? 'Kafka is stopped.' : 'No Kafka was running.');
  });
  examples(stop, ['kafka stop']);
}
