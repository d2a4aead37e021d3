/** A headless Chromium with WebGPU on SwiftShader, from npm alone: needs no browser, driver, library or root. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inflate } from '@sparticuz/chromium';
import puppeteer, { type Browser } from 'puppeteer-core';

/** WebGPU on Linux is behind a switch, and a headless Chromium offers no CPU adapter unless it is named. */
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** The package's own names folders of another machine; a page with text and no font is more than Chromium survives. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;

/** The environment variable CHROMIUM_PATH names another executable; the package's is for Linux on x64. */
export async function launchChromium(): Promise<Browser> {
  const given = process.env.CHROMIUM_PATH;
  if (!given && `${process.platform}-${process.arch}` !== 'linux-x64') {
    throw new Error(`no Chromium for ${process.platform}-${process.arch}: set CHROMIUM_PATH to one's executable`);
  }
  const folder = given ? '' : await unpack();
  return puppeteer.launch({
    executablePath: given ?? join(folder, 'chromium'),
    headless: 'shell',
    // Containers and root have no sandbox; the pages are our own.
    args: ['--no-sandbox', ...WEBGPU],
    env: given
      ? process.env
      : {
          ...process.env,
          // NSS, NSPR and Expat, which a bare machine lacks, and fonts
          LD_LIBRARY_PATH: [join(folder, 'al2023', 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
          FONTCONFIG_PATH: join(folder, 'fonts'),
        },
  });
}

/** Unpacks the package's archives (2 s, 250 MB) once into node_modules/.cache and returns the folder. */
async function unpack(): Promise<string> {
  const packageRoot = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const cache = join(packageRoot, '..', '..', '.cache', 'neumf-webgpu');
  const folder = join(cache, `chromium-${version}-fonts`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, 'unpack-'));
  const archives = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br'];
  await inflateInto(
    partial,
    archives.map((archive) => join(packageRoot, 'bin', archive)),
  );
  writeFileSync(join(partial, 'fonts', 'fonts.conf'), FONTS);
  try {
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return folder;
}

/** The package unpacks into the folder for temporary files, which it asks for at the call. */
function inflateInto(folder: string, archives: string[]): Promise<string[]> {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    return Promise.all(archives.map((archive) => inflate(archive)));
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}
