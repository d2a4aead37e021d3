import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json',
};

/** Serves the files of a flat folder as they are now, index.html at the root, and nothing else. */
export function serveFolder(folder: string): Server {
  const files = new Map(readdirSync(folder).map((name) => [`/${name}`, readFileSync(join(folder, name))]));
  return createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const name = path === '/' ? '/index.html' : path;
    const file = files.get(name);
    response.setHeader('cache-control', 'no-cache');
    if (!file) response.writeHead(404).end();
    else response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream').end(file);
  });
}
