/** Which files a `read: {file: …}` means, and that each of them really lies inside the source's folder. */
import { glob, lstat, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, posix, sep } from 'node:path';
import { suggest } from '../../../base/suggest.ts';
import { HeadraceError, type FileFormat, type FileRead } from '../../../model/index.ts';

/** One file of a reading, as it was when the reading was opened. */
export interface ListedFile {
  /** Path relative to the source's folder, with `/`: the record's stream. */
  readonly name: string;
  /** Absolute, symbolic links resolved. */
  readonly path: string;
  readonly format: FileFormat;
  readonly gzip: boolean;
  readonly size: number;
  /** Epoch milliseconds with fraction, as the file system gives it. */
  readonly mtimeMs: number;
}

/**
 * The files in order of their names. Throws HeadraceError: `config_invalid` when the path leaves the folder or the
 * format is not known, `source_failed` when nothing is there or it is no regular file.
 */
export async function listFiles(folder: string, read: FileRead): Promise<ListedFile[]> {
  refuseEscape(read.file);
  const root = await resolveRoot(folder);
  const names = await matchingNames(root, read.file);
  const files: ListedFile[] = [];
  for (const { name, wanted } of names) {
    const file = await inspect(root, name, read, wanted);
    if (file !== null) files.push(file);
  }
  if (files.length === 0) throw await nothingFound(root, read.file);
  return files;
}

const where = 'read.file';

/** A path with `..` or an absolute one is refused before the disk is asked. */
function refuseEscape(file: string): void {
  if (file.trim() === '' || file.includes('\0')) {
    throw new HeadraceError('config_invalid', 'The file name is empty or has a zero byte.', {
      path: where,
      remedy: "Name a file or a glob, relative to the source's folder.",
    });
  }
  if (isAbsolute(file) || file.split(/[\\/]/).includes('..')) {
    throw new HeadraceError('config_invalid', `${file} may lie outside the source's folder.`, {
      path: where,
      remedy: "Write it relative to the source's folder, without `..`; another folder is another source.",
    });
  }
}

async function resolveRoot(folder: string): Promise<string> {
  let root: string;
  try {
    root = await realpath(folder);
  } catch (cause) {
    throw new HeadraceError('source_failed', `The source's folder ${folder} cannot be opened: ${reasonOf(cause)}.`, {
      path: 'path',
      remedy: "Create it, or correct the source's `path`.",
      cause,
    });
  }
  if (isSystem(root)) {
    throw new HeadraceError('config_invalid', `${folder} is a system folder, not one of data files.`, {
      path: 'path',
      remedy: "Point the source's `path` to a folder of data files.",
    });
  }
  return root;
}

/** What looks like a file there may never end, or act when it is read. */
function isSystem(path: string): boolean {
  return /^\/(?:proc|sys|dev)(?:\/|$)/.test(path);
}

async function matchingNames(root: string, pattern: string): Promise<{ name: string; wanted: boolean }[]> {
  // A name is first taken as it is, so that a file called `a[1].csv` can be read.
  const literal = posix.normalize(pattern.replaceAll(sep, '/'));
  if (!/[*?[{]/.test(pattern) || (await exists(join(root, literal)))) return [{ name: literal, wanted: true }];
  const names: string[] = [];
  for await (const name of glob(pattern, { cwd: root })) names.push(name.replaceAll(sep, '/'));
  names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return names.map((name) => ({ name, wanted: false }));
}

/** null: a folder that a glob also matched. */
async function inspect(root: string, name: string, read: FileRead, wanted: boolean): Promise<ListedFile | null> {
  const fail = (reason: string, remedy: string, cause?: unknown): HeadraceError =>
    new HeadraceError('source_failed', `${name} ${reason}.`, { path: where, remedy, cause });
  let path: string;
  try {
    path = await realpath(join(root, name));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && wanted) throw await nothingFound(root, name);
    throw fail(`cannot be opened: ${reasonOf(cause)}`, 'Check that it exists and may be read.', cause);
  }
  if (path !== root && !path.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new HeadraceError('config_invalid', `${name} is a link that leads out of the source's folder.`, {
      path: where,
      remedy: "Put the file itself into the folder, or point the source's `path` to where it lies.",
    });
  }
  if (isSystem(path)) throw fail('is a file of the system', 'Only data files are read.');
  const facts = await stat(path);
  if (facts.isDirectory()) {
    if (!wanted) return null;
    throw fail('is a folder', `Name the files in it, e.g. ${posix.join(name, '*.csv')}.`);
  }
  if (!facts.isFile())
    throw fail('is not a regular file', 'Only regular files are read: no pipes, sockets or devices.');
  const { format, gzip } = formatOf(name, read);
  return { name, path, format, gzip, size: facts.size, mtimeMs: facts.mtimeMs };
}

const formats: Readonly<Record<string, FileFormat>> = {
  csv: 'csv',
  tsv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  parquet: 'parquet',
  pq: 'parquet',
};

function formatOf(name: string, read: FileRead): { format: FileFormat; gzip: boolean } {
  const gzip = /\.gz$/i.test(name);
  const base = posix.basename(gzip ? name.slice(0, -3) : name);
  const extension = base.includes('.') ? base.slice(base.lastIndexOf('.') + 1).toLowerCase() : '';
  const format = read.format ?? formats[extension];
  if (format === undefined) {
    throw new HeadraceError('config_invalid', `The format of ${name} cannot be told from its name.`, {
      path: where,
      remedy: 'Add `format: csv | jsonl | json | parquet`, or narrow the glob to the data files.',
    });
  }
  return { format, gzip: gzip && format !== 'parquet' };
}

async function nothingFound(root: string, file: string): Promise<HeadraceError> {
  const folder = posix.dirname(file);
  const siblings: string[] = [];
  if (!/[*?[{]/.test(folder)) {
    for await (const name of glob('*', { cwd: join(root, folder) })) siblings.push(posix.join(folder, name));
  }
  const near = suggest(file, siblings);
  return new HeadraceError('source_failed', `No file matches ${file} in the source's folder.`, {
    path: where,
    remedy: near === null ? "Check the name; it is relative to the source's folder." : `Did you mean ${near}?`,
  });
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** What a system error says, without its path and call. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'ELOOP') return 'its links go in a circle';
  return code ?? message ?? String(error);
}
