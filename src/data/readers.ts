/** All that reads files, in one module: whoever bundles the library loads it when a file is read, and not before. */
export { readInteractions } from './delimited.ts';
export { findNcfFiles, readNcf } from './ncf.ts';
export { columnNamed, readTable } from './table.ts';
