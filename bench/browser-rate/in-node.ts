/** Measures in a process of its own, so that its adapter is the one of its environment; prints the Rate as JSON. */
import { readFileSync } from 'node:fs';
import { measure } from './measure.ts';

const [path, seconds] = process.argv.slice(2);
console.log(JSON.stringify(await measure({ seconds: Number(seconds), file: [...readFileSync(path!)] })));
