// Bundles the page with esbuild and writes it as one C++ file with every asset in it, plain and
// compressed, so that the binary needs neither Node nor files beside it.
// Usage: node build.mjs OUTPUT_FOLDER
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!out) {
  console.error('build.mjs: name the output folder');
  process.exit(2);
}
rmSync(join(out, 'assets'), { recursive: true, force: true });
mkdirSync(join(out, 'assets'), { recursive: true });

const bundle = await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx', style: 'src/style.css' },
  outdir: join(out, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
  write: false,
  metafile: true,
});

const types = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
};
const typeOf = (name) => types[name.slice(name.lastIndexOf('.') + 1)];
const hashed = (name, bytes) => {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 10);
  const dot = name.lastIndexOf('.');
  return `${name.slice(0, dot)}-${hash}${name.slice(dot)}`;
};

// The world as land only, as it lies in world-atlas (Natural Earth, public domain).
const require = createRequire(join(here, 'package.json'));
const atlas = JSON.parse(readFileSync(require.resolve('world-atlas/land-110m.json'), 'utf8'));
const world = Buffer.from(JSON.stringify(atlas));
const icon = readFileSync(join(here, 'src/icon.svg'));

const assets = bundle.outputFiles.map((file) => ({
  path: `/assets/${file.path.slice(file.path.lastIndexOf('/') + 1)}`,
  bytes: Buffer.from(file.contents),
}));
const worldPath = `/assets/${hashed('world.json', world)}`;
const iconPath = `/assets/${hashed('icon.svg', icon)}`;
assets.push({ path: worldPath, bytes: world }, { path: iconPath, bytes: icon });

const find = (start, end) =>
  assets.find((a) => a.path.startsWith(`/assets/${start}-`) && a.path.endsWith(end)).path;
const html = readFileSync(join(here, 'src/index.html'), 'utf8')
  .replaceAll('{{script}}', find('app', '.js'))
  .replaceAll('{{style}}', find('style', '.css'))
  .replaceAll('{{world}}', worldPath)
  .replaceAll('{{icon}}', iconPath);
assets.unshift({ path: '/', bytes: Buffer.from(html), page: true });

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

// A string literal: three octal digits, so that no byte runs into the next.
const literal = (bytes) => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 64) {
    text += '\n    "';
    for (const byte of bytes.subarray(at, at + 64))
      text += byte >= 32 && byte < 127 && byte !== 34 && byte !== 92 && byte !== 63
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(3, '0')}`;
    text += '"';
  }
  return `std::string_view(${text || '""'}, ${bytes.length})`;
};

let rows = '';
const sizes = [];
for (const asset of assets) {
  const type = asset.page ? types.html : typeOf(asset.path);
  const tag = createHash('sha256').update(asset.bytes).digest('hex').slice(0, 16);
  const br = brotli(asset.bytes);
  const gz = gzipSync(asset.bytes, { level: 9 });
  sizes.push({ path: asset.path, plain: asset.bytes.length, gzip: gz.length, brotli: br.length });
  rows += `  {"${asset.path}", "${type}", "${tag}",\n   ${literal(asset.bytes)},\n   ` +
    `${literal(gz)},\n   ${literal(br)}},\n`;
  if (!asset.page) writeFileSync(join(out, asset.path.slice(1)), asset.bytes);
}
writeFileSync(
  join(out, 'page_files.cc'),
  `#include "app/page_files.h"\n\nnamespace adbrook::app {\nnamespace {\n\n` +
    `const PageFile kFiles[] = {\n${rows}};\n\n}  // namespace\n\n` +
    `std::span<const PageFile> page_files() { return kFiles; }\n\n}  // namespace adbrook::app\n`,
);
// For the test of the size budget: what the first load fetches is what the entry imports at once.
const entry = Object.entries(bundle.metafile.outputs).find(([, o]) => o.entryPoint === 'src/main.tsx');
const first = new Set(['/', find('style', '.css'), worldPath, iconPath]);
const visit = (name) => {
  const path = `/assets/${name.slice(name.lastIndexOf('/') + 1)}`;
  if (first.has(path)) return;
  first.add(path);
  for (const i of bundle.metafile.outputs[name].imports)
    if (i.kind === 'import-statement') visit(i.path);
};
visit(entry[0]);
writeFileSync(
  join(out, 'sizes.json'),
  JSON.stringify({ files: sizes, first_load: [...first] }, null, 1),
);
