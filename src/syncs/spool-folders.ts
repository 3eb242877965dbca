/** What lies in the folder of all spools: one folder for each destination, and whatever else somebody left there. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of a destination's spool. */
export function spoolFolder(folder: string, destination: string): string {
  return join(folder, encodeURIComponent(destination));
}

/** Destinations whose folder has segments, and paths that are no folder of a destination: those are nobody's to touch. */
export function lookIntoSpools(folder: string): { readonly destinations: string[]; readonly strays: string[] } {
  const destinations: string[] = [];
  const strays: string[] = [];
  for (const name of namesIn(folder) ?? []) {
    const path = join(folder, name);
    const destination = decoded(name);
    const files = destination === null || !isFolder(path) ? null : namesIn(path);
    if (files === null) strays.push(path);
    else if (files.some((file) => file.endsWith('.seg'))) destinations.push(destination!);
  }
  return { destinations, strays };
}

function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder);
  } catch {
    return null;
  }
}

/** False also where it cannot be known: a name that leads in a circle, a disk that is not there. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Null: it is no name that this program gives. */
function decoded(name: string): string | null {
  try {
    const text = decodeURIComponent(name);
    return encodeURIComponent(text) === name ? text : null;
  } catch {
    return null;
  }
}
