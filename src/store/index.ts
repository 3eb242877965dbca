/** What front doors use of the own state. */
export { acquireDataLock, type DataLock } from './data-lock.ts';
export { readServerFile, removeServerFile, writeServerFile, type ServerFacts } from './server-file.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
