/** Tables, queries and files, each read once, consistently and in order. So far: files. */
export { openFiles } from './files/open.ts';
