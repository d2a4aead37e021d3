/** The shaders as bundles hold them: short, and each where its kernel is, so that a bundle has those that it runs. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/**
 * WGSL without comments and without white space, but for what keeps two words or two operators apart. Names stay: the
 * compiler's messages are about them. WGSL has no strings that could hold any of this.
 */
export function stripWgsl(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/(?<![-+*/%&|^!=<>]) (?=\W)|(?<=\W) (?![-+*/%&|^!=<>])/g, '');
}

const DEFINITION = /\bdefineKernel\(\{\s*name: '(\w+)',/g;

/** Source text of kernels, each with `code` from a module `shader:<name>`. Throws for a definition that it cannot read. */
export function withShaders(file: string, text: string): string {
  const names = [...text.matchAll(DEFINITION)].map(([, name]) => name!);
  if (names.length !== text.split('defineKernel(').length - 1) {
    throw new Error(`${file}: a kernel's definition begins with its name: defineKernel({ name: '…',`);
  }
  const imports = names.map((name) => `import shader_${name} from 'shader:${name}';`).join(' ');
  return `${imports}${text.replace(DEFINITION, '$& code: shader_$1,')}`;
}

/** Gives every kernel in src/kernels its shader's text, in place of src/platform/shaders.ts, which reads files. */
export const shaderTexts: Plugin = {
  name: 'shader-texts',
  setup({ onLoad, onResolve, initialOptions }) {
    // src/platform/browser.ts says why.
    const isLeftOut = (name: string) => initialOptions.platform === 'browser' && name.endsWith('_subgroup');
    onResolve({ filter: /^shader:/ }, ({ path }) => ({ path: path.slice('shader:'.length), namespace: 'shader' }));
    onLoad({ filter: /.*/, namespace: 'shader' }, ({ path }) => {
      if (isLeftOut(path)) return { contents: 'export default undefined;', loader: 'js' };
      const file = join(ROOT, 'shaders', `${path}.wgsl`);
      return { contents: stripWgsl(readFileSync(file, 'utf8')), loader: 'text', watchFiles: [file] };
    });
    onLoad({ filter: /[\\/]src[\\/]kernels[\\/][\w-]+\.ts$/ }, ({ path }) => {
      return { contents: withShaders(path, readFileSync(path, 'utf8')), loader: 'ts' };
    });
    // The kernels' foundation comes with all of them: side by side they compress better, and by length best of the orders
    // tried. Those unused are dropped again.
    onLoad({ filter: /[\\/]src[\\/]gpu[\\/]kernel\.ts$/ }, ({ path }) => {
      const files = globSync('shaders/*.wgsl', { cwd: ROOT }).sort();
      const lengths = new Map(files.map((file) => [file, stripWgsl(readFileSync(join(ROOT, file), 'utf8')).length]));
      files.sort((a, b) => lengths.get(a)! - lengths.get(b)!);
      const imports = files.map((file) => `import 'shader:${basename(file, '.wgsl')}';`).join(' ');
      return { contents: imports + readFileSync(path, 'utf8'), loader: 'ts' };
    });
    onLoad({ filter: /[\\/]src[\\/]platform[\\/]shaders\.ts$/ }, () => ({
      contents: `import { GpuError } from '../errors.ts';
        export function shaderText(name) {
          throw new GpuError(\`no shader "\${name}": a kernel of your own has its WGSL in code\`);
        }`,
      loader: 'js',
      resolveDir: join(ROOT, 'src', 'platform'),
    }));
  },
};
