/** Saves progress while messages are done, removes what is not needed after that (P33), and keeps room on a full disk (P34). */
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Log } from './log.ts';
import type { SpoolOptions } from './ports.ts';
import { ProgressFile, type Progress } from './progress.ts';
import { refusalOf } from './refusal.ts';

/** Not more often than this; what is done in between is sent again after a kill -9 (Promise 5). */
const SAVE_EVERY_MS = 25;
const TRY_AGAIN_MS = 1_000;
const LOOK_FOR_ROOM_MS = 500;
const RESERVE = 'reserve';
const ZEROS = Buffer.alloc(256 * 1024);

type Take = () => { readonly progress: Progress; readonly removable: number };

export class ProgressKeeper {
  /** As an earlier process left it; null: there is none. */
  readonly progress: Progress | null;
  readonly #file: ProgressFile;
  readonly #options: SpoolOptions;
  readonly #clock: Clock;
  #log: Log | null = null;
  #take: Take | null = null;
  #dirty = false;
  #saving: Promise<void> | null = null;
  #cancel: (() => void) | null = null;
  #cancelLook: (() => void) | null = null;
  #closed = false;
  #told: string | null = null;
  /** Why nothing may be written now; null: it may. */
  trouble: string | null = null;

  private constructor(options: SpoolOptions, file: ProgressFile, progress: Progress | null) {
    this.#options = options;
    this.#clock = options.clock;
    this.#file = file;
    this.progress = progress;
  }

  static async open(options: SpoolOptions): Promise<ProgressKeeper> {
    const { file, progress, damaged } = await ProgressFile.open(options.files, options.folder);
    if (damaged) {
      options.warned(
        `The progress files in ${options.folder} are damaged: what is in the spool is sent from its beginning, some of it for the second time.`,
      );
    }
    const keeper = new ProgressKeeper(options, file, progress);
    await keeper.#reserve().catch(() => keeper.full());
    return keeper;
  }

  keep(log: Log, take: Take): void {
    this.#log = log;
    this.#take = take;
  }

  /** Something is done, or new. */
  touch(): void {
    this.#dirty = true;
    if (this.#cancel !== null || this.#saving !== null || this.#closed) return;
    this.#cancel = this.#clock.after(SAVE_EVERY_MS, () => {
      this.#cancel = null;
      this.#save();
    });
  }

  /** The disk is full: its reserve is given back to it, and nothing is taken until there is room for both again. */
  full(): void {
    if (this.trouble !== null || this.#closed) return;
    this.trouble = 'the disk of the spool is full';
    this.#options.warned(`The disk of ${this.#options.folder} is full: events are refused until there is room again.`);
    void this.#options.files.remove(join(this.#options.folder, RESERVE)).catch(() => undefined);
    this.#lookForRoom();
  }

  /** Saves the last state and closes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    this.#cancelLook?.();
    await this.#saving;
    if (this.#take !== null) await this.#saveOnce().catch(() => undefined);
    await this.#file.close();
  }

  #save(): void {
    this.#dirty = false;
    this.#saving = this.#saveOnce().then(
      () => {
        this.#saving = null;
        this.#told = null;
        if (this.#dirty) this.touch();
      },
      (error: unknown) => {
        // What is done is sent again after a restart at worst: it is told, and tried again.
        const refusal = refusalOf(error);
        if (refusal.full) this.full();
        if (this.#told !== refusal.message)
          this.#options.warned(`Progress of the spool is not saved: ${refusal.message}`);
        this.#told = refusal.message;
        this.#saving = this.#clock.sleep(TRY_AGAIN_MS).then(() => {
          this.#saving = null;
          this.touch();
        });
      },
    );
  }

  async #saveOnce(): Promise<void> {
    const { progress, removable } = this.#take!();
    await this.#file.save(progress);
    // P33: only now that it is durable that they are done.
    await this.#log!.removeBefore(removable);
  }

  #lookForRoom(): void {
    this.#cancelLook = this.#clock.after(
      LOOK_FOR_ROOM_MS,
      () => {
        void this.#reserve().then(
          () => {
            this.trouble = null;
            this.#options.warned(`The disk of ${this.#options.folder} has room again: events are taken.`);
          },
          () => {
            if (!this.#closed) this.#lookForRoom();
          },
        );
      },
      { unref: true },
    );
  }

  /** Real blocks, not a hole: room that nobody else takes. */
  async #reserve(): Promise<void> {
    const { files, folder, reserveBytes } = this.#options;
    const path = join(folder, RESERVE);
    if (reserveBytes === 0) return;
    if ((await files.list(folder)).some(({ name, bytes }) => name === RESERVE && bytes >= reserveBytes)) return;
    await files.remove(path);
    const file = await files.create(path);
    try {
      for (let at = 0; at < reserveBytes; at += ZEROS.length)
        await file.write([ZEROS.subarray(0, Math.min(ZEROS.length, reserveBytes - at))], at);
      await file.sync();
    } catch (error) {
      await files.remove(path).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
  }
}
