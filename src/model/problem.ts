/** One thing wrong in a configuration: where, what, and what to do. */

export interface Problem {
  /** e.g. `syncs.orders.message.topic` */
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Checks one value at one path; an empty list means it is fine. What passes here never fails for its own shape when it runs. */
export type Check = (value: unknown, path: string) => Problem[];
