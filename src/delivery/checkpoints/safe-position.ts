/** The lowest position that is safe: the only place that says "safe" (Promise 2). Pure. */

interface Span<Batch> {
  readonly batch: Batch;
  open: number;
}

/**
 * Folds outcomes, which come in any order, into what is safe: every record up to there has its outcome.
 * Batches are opened in the source's order; each is done when all of its records are.
 */
export class SafePosition<Batch> {
  readonly #spans: Span<Batch>[] = [];

  /** Batches that are not safe yet. */
  get open(): number {
    return this.#spans.length;
  }

  /**
   * Opens the next batch of `records` records. The returned function is called once per record that has its outcome; it
   * returns the batches that became safe by it, in order: none as long as an earlier record has no outcome.
   */
  add(batch: Batch, records: number): () => readonly Batch[] {
    const span = { batch, open: Math.max(records, 1) };
    this.#spans.push(span);
    return () => {
      if (span.open === 0) throw new Error('a record was given a second outcome');
      span.open--;
      return span.open === 0 ? this.#advance() : [];
    };
  }

  #advance(): readonly Batch[] {
    let done = 0;
    while (done < this.#spans.length && this.#spans[done]!.open === 0) done++;
    return this.#spans.splice(0, done).map((span) => span.batch);
  }
}
