/** One task for each of several, all at the same time, none of them hiding what became of the others. */
import { HeadraceError } from '../../model/index.ts';
import { StepFailure } from './report.ts';

export interface Settled<Of, Value> {
  readonly of: Of;
  readonly value: Value | null;
  readonly failure: StepFailure | null;
}

export function settle<Of, Value>(
  all: readonly Of[],
  task: (one: Of) => Promise<Value>,
): Promise<Settled<Of, Value>[]> {
  return Promise.all(
    all.map(async (of): Promise<Settled<Of, Value>> => {
      try {
        return { of, value: await task(of), failure: null };
      } catch (error) {
        return { of, value: null, failure: await asFailure(error) };
      }
    }),
  );
}

/** All failed: throws what they all say. Some did: warns. */
export function tellSome(
  good: number,
  answers: readonly Settled<unknown, unknown>[],
  warn: (text: string) => void,
): void {
  const failures = answers.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  if (good === 0 && failures.length > 0)
    throw new StepFailure(failures.map(({ message }) => message).join('; '), failures[0]!.remedy);
  for (const { message } of failures) warn(`One of the brokers is no use: ${message}.`);
}

/** Anything thrown, as cause and remedy. */
export async function asFailure(error: unknown): Promise<StepFailure> {
  if (error instanceof StepFailure) return error;
  if (error instanceof HeadraceError)
    return new StepFailure(ofField(error), error.remedy ?? 'Correct the destination.');
  // It brings the client along, which is loaded by now if this is an error of the client.
  const { classifyError } = await import('../classify.ts');
  const { reason, remedy } = classifyError(error);
  return new StepFailure(reason, remedy);
}

function ofField({ path, message }: HeadraceError): string {
  const text = message.replace(/\.$/, '');
  return path === undefined || text.includes(path) ? text : `${path}: ${text}`;
}
