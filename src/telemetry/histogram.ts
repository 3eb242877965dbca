/** A histogram with one label, cheap enough for every request: no objects, no hashing of labels. */

/** Seconds, from a millisecond to ten seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

interface Series {
  /** Observations up to each bound, and beyond the last; not yet summed up. */
  readonly counts: Float64Array;
  sum: number;
}

export class SecondsHistogram {
  readonly #name: string;
  readonly #help: string;
  readonly #label: string;
  readonly #series = new Map<string, Series>();

  constructor(name: string, help: string, label: string) {
    this.#name = name;
    this.#help = help;
    this.#label = label;
  }

  observe(labelValue: string, seconds: number): void {
    let series = this.#series.get(labelValue);
    if (series === undefined) {
      series = { counts: new Float64Array(BOUNDS.length + 1), sum: 0 };
      this.#series.set(labelValue, series);
    }
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket++;
    series.counts[bucket]!++;
    series.sum += seconds;
  }

  /** In Prometheus' text form. */
  text(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    for (const [value, { counts, sum }] of this.#series) {
      const label = `${this.#label}="${escaped(value)}"`;
      let total = 0;
      for (const [index, bound] of BOUNDS.entries()) {
        total += counts[index]!;
        lines.push(`${this.#name}_bucket{le="${bound}",${label}} ${total}`);
      }
      total += counts[BOUNDS.length]!;
      lines.push(`${this.#name}_bucket{le="+Inf",${label}} ${total}`);
      lines.push(`${this.#name}_sum{${label}} ${sum}`, `${this.#name}_count{${label}} ${total}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
