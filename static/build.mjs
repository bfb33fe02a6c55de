// Builds what browsers get, from the sources beside this file, into static/dist:
// styles (Dart Sass, PurgeCSS, Lightning CSS), scripts (esbuild), one icon sprite, fonts cut to the letters
// in use, images. Every name carries the hash of its content; manifest.json says which name stands for which
// source; .br and .gz lie beside what compresses. The same sources give the same bytes, and a run that finds
// nothing changed ends at once. `--force` builds all the same.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const STATIC = path.join(ROOT, 'static');
const DIST = path.join(STATIC, 'dist');
const MODULES = path.join(ROOT, 'node_modules');
const KIT = path.join(MODULES, 'bootstrap-italia');
const BROWSERS = { chrome: 100 << 16, firefox: 100 << 16, safari: (15 << 16) | (4 << 8) };

// What Italian and English pages are written with. Other Latin letters (names of people, mostly) are in the
// second file of each weight, which a browser fetches only when a page has one of them.
const LETTERS =
  Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('') +
  'ÀÈÉÌÒÙàèéìíòóùú\u00a0«»‘’“”–…€·°×→←';
// Bold is 600 here: a third weight would cost a first visit 7 kB for a difference that few see.
const WEIGHTS = { 400: ['regular', '400'], 600: ['600', '600 900'] };

// Classes and attributes that appear while a page is used, or that the kit's own rules ask for by state.
const STATES = [/^is-/, /^was-/, 'active', 'show', 'disabled', 'collapsed', 'focus--mouse'];
const DYNAMIC_ATTRIBUTES = ['aria-current', 'aria-expanded', 'aria-invalid', 'aria-selected', 'checked', 'dir',
  'disabled', 'hidden', 'lang', 'open', 'popover', 'readonly', 'required', 'selected'];

const COMPRESSIBLE = new Set(['.css', '.js', '.svg', '.json', '.txt', '.webmanifest']);

/** All files below `folder` whose name ends in one of `ends`, in a fixed order; none when it is not there. */
function walk(folder, ends = ['']) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ends.some((end) => entry.name.endsWith(end)))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** The sources of entry points in a folder: those whose names do not begin with an underscore. */
function entries(folder, end) {
  return walk(path.join(STATIC, folder), [end])
    .filter((file) => path.dirname(file) === path.join(STATIC, folder) && !path.basename(file).startsWith('_'));
}

const sha = (data) => createHash('sha256').update(data).digest('hex');

/** Where a class name may be written: what PurgeCSS reads. */
function contentFiles() {
  return [...walk(path.join(ROOT, 'templates'), ['.html']), ...walk(path.join(ROOT, 'lab/web'), ['.py']),
    ...walk(path.join(STATIC, 'scripts'), ['.js'])];
}

/** One digest over everything the result depends on. */
function digest() {
  const sources = ['styles', 'scripts', 'icons', 'images'].flatMap((folder) => walk(path.join(STATIC, folder)));
  const files = [...contentFiles(), ...sources, path.join(STATIC, 'icons.txt'), path.join(STATIC, 'build.mjs'),
    path.join(ROOT, 'package-lock.json')];
  const whole = createHash('sha256');
  for (const file of [...new Set(files)].sort()) {
    if (fs.existsSync(file)) whole.update(`${path.relative(ROOT, file)}\0${sha(fs.readFileSync(file))}\n`);
  }
  return whole.digest('hex');
}

/** Collects the results: `add` names one by its content and remembers the name. */
class Bundle {
  constructor(folder) {
    this.folder = folder;
    this.manifest = {};
    this.report = [];
  }

  add(name, data) {
    const bytes = Buffer.from(data);
    const ext = path.extname(name);
    const hashed = `${name.slice(0, name.length - ext.length)}.${sha(bytes).slice(0, 12)}${ext}`;
    const target = path.join(this.folder, hashed);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, bytes);
    let brotli = null;
    if (COMPRESSIBLE.has(ext)) {
      const small = zlib.brotliCompressSync(bytes, { params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        [zlib.constants.BROTLI_PARAM_LGWIN]: 22 } });
      fs.writeFileSync(`${target}.br`, small);
      fs.writeFileSync(`${target}.gz`, zlib.gzipSync(bytes, { level: 9 }));
      brotli = small.length;
    }
    this.manifest[name] = hashed;
    this.report.push([name, bytes.length, brotli ?? bytes.length]);
  }

  /** Keeps what the bundle in `folder` named: a server started with it, and pages people have open, ask for it. */
  keep(folder) {
    const manifest = path.join(folder, 'manifest.json');
    const names = fs.existsSync(manifest) ? Object.values(JSON.parse(fs.readFileSync(manifest, 'utf8'))) : [];
    for (const file of names.flatMap((name) => [name, `${name}.br`, `${name}.gz`])) {
      const [from, to] = [path.join(folder, file), path.join(this.folder, file)];
      if (fs.existsSync(from) && !fs.existsSync(to)) fs.copyFileSync(from, to);
    }
  }

  close(inputs) {
    const sorted = Object.fromEntries(Object.entries(this.manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
    fs.writeFileSync(path.join(this.folder, 'inputs.sha256'), `${inputs}\n`);
    fs.writeFileSync(path.join(this.folder, 'manifest.json'), `${JSON.stringify(sorted, null, 1)}\n`);
  }
}

/** `U+20-7E,U+A0,…` for a set of characters. */
function unicodeRange(characters) {
  const points = [...new Set([...characters].map((c) => c.codePointAt(0)))].sort((a, b) => a - b);
  const ranges = [];
  for (const point of points) {
    const last = ranges.at(-1);
    if (last && last[1] === point - 1) last[1] = point;
    else ranges.push([point, point]);
  }
  const hex = (n) => n.toString(16).toUpperCase();
  return ranges.map(([a, b]) => (a === b ? `U+${hex(a)}` : `U+${hex(a)}-${hex(b)}`)).join(', ');
}

/** The characters that the kit's fonts have beyond LETTERS: Latin-1, Latin Extended-A and B, punctuation, signs. */
function furtherLetters() {
  const blocks = [[0xa1, 0x24f], [0x2c6, 0x2dd], [0x1e80, 0x1eff], [0x2010, 0x2044], [0x20a0, 0x20bf], [0x2100, 0x22ff]];
  const near = new Set(LETTERS);
  return blocks.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i)))
    .filter((c) => !near.has(c)).join('');
}

/** Cuts the fonts; answers the @font-face rules that `@import 'lab:fonts'` stands for. */
async function buildFonts(bundle) {
  const { default: subset } = await import('subset-font');
  const folder = path.join(KIT, 'dist/fonts/Titillium_Web');
  const rules = [];
  for (const [weight, [file, range]] of Object.entries(WEIGHTS)) {
    const whole = fs.readFileSync(path.join(folder, `titillium-web-v10-latin-ext_latin-${file}.woff2`));
    for (const [suffix, characters] of [['', LETTERS], ['-ext', furtherLetters()]]) {
      const name = `fonts/titillium-${weight}${suffix}.woff2`;
      // Old-style figures and other alternative shapes are never asked for: only what the letters map to.
      bundle.add(name, await subset(whole, characters, { targetFormat: 'woff2', noLayoutClosure: true }));
      rules.push(`@font-face{font-family:"Titillium Web";font-style:normal;font-weight:${range};font-display:swap;`
        + `src:url("${name}") format("woff2");unicode-range:${unicodeRange(characters)}}`);
    }
  }
  return rules.join('\n');
}

/** One sprite: the kit's symbols named in icons.txt (one a line, `#` begins a remark) and our own drawings. */
function buildIcons(bundle) {
  const list = path.join(STATIC, 'icons.txt');
  const names = fs.existsSync(list)
    ? fs.readFileSync(list, 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean) : [];
  const sprite = fs.readFileSync(path.join(KIT, 'dist/svg/sprites.svg'), 'utf8');
  const known = new Map([...sprite.matchAll(/<symbol id="([^"]+)".*?<\/symbol>/gs)].map((m) => [m[1], m[0]]));
  const symbols = [...new Set(names)].sort().map((name) => {
    if (!known.has(name)) throw new Error(`static/icons.txt: the kit has no symbol "${name}"`);
    return known.get(name);
  });
  for (const file of walk(path.join(STATIC, 'icons'), ['.svg'])) {
    const id = path.basename(file, '.svg');
    const [, attributes, inner] = fs.readFileSync(file, 'utf8').match(/<svg([^>]*)>(.*)<\/svg>/s) ?? [];
    const viewBox = attributes?.match(/viewBox="[^"]+"/)?.[0];
    if (!viewBox) throw new Error(`static/icons/${id}.svg: no <svg> with a viewBox`);
    const painted = ['fill', 'stroke', 'stroke-width', 'stroke-linecap', 'stroke-linejoin']
      .flatMap((key) => attributes.match(new RegExp(`\\s${key}="[^"]*"`)) ?? []).join('');
    symbols.push(`<symbol id="${id}" ${viewBox}${painted}>${inner.replace(/>\s+</g, '><').trim()}</symbol>`);
  }
  if (symbols.length) bundle.add('icons.svg', `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>`);
}

function buildImages(bundle) {
  const folder = path.join(STATIC, 'images');
  for (const file of walk(folder)) {
    bundle.add(path.posix.join('images', path.relative(folder, file)), fs.readFileSync(file));
  }
}

async function buildScripts(bundle) {
  const { build } = await import('esbuild');
  for (const file of entries('scripts', '.js')) {
    const result = await build({ entryPoints: [file], bundle: true, minify: true, format: 'esm', target: 'es2022',
      legalComments: 'none', write: false, charset: 'utf8' });
    bundle.add(path.basename(file), result.outputFiles[0].contents);
  }
}

/** Names our sources give to url() are the manifest's; what stands in no manifest is a mistake. */
function hashedUrls(manifest, source) {
  return { Url(url) {
    if (/^(data:|#)/.test(url.url)) return url;
    if (!manifest[url.url]) throw new Error(`${source}: url("${url.url}") names nothing that is built`);
    return { ...url, url: manifest[url.url] };
  } };
}

async function buildStyles(bundle, fontFaces) {
  const [sass, { PurgeCSS }, { transform }] = await Promise.all(
    [import('sass'), import('purgecss'), import('lightningcss')]);
  const fonts = { canonicalize: (url) => (url === 'lab:fonts' ? new URL(url) : null),
    load: () => ({ contents: fontFaces, syntax: 'css' }) };
  const content = contentFiles();
  // A custom property that a template, a script or a drawing names is in use even when no rule reads it.
  const drawings = ['icons', 'images'].flatMap((folder) => walk(path.join(STATIC, folder), ['.svg']));
  const named = [...content, ...drawings].flatMap((file) => fs.readFileSync(file, 'utf8').match(/--[a-z][\w-]*/g) ?? []);
  for (const file of entries('styles', '.scss')) {
    const { css } = sass.compile(file, { loadPaths: [path.join(STATIC, 'styles'), MODULES], importers: [fonts],
      quietDeps: true, silenceDeprecations: ['import'] });
    const [purged] = await new PurgeCSS().purge({ content, css: [{ raw: css }], keyframes: true, variables: true,
      safelist: { standard: STATES, variables: ['--bootstrap-italia-version', ...named] },
      // fontFace stays off: the family is reached through a custom property, and every rule would go.
      fontFace: false, dynamicAttributes: DYNAMIC_ATTRIBUTES });
    const name = `${path.basename(file, '.scss')}.css`;
    // Lightning CSS writes the kit's version in double quotes, as the official checker wants it.
    const { code } = transform({ filename: name, code: Buffer.from(purged.css), minify: true, targets: BROWSERS,
      visitor: hashedUrls(bundle.manifest, name) });
    bundle.add(name, code);
  }
}

async function main() {
  const inputs = digest();
  const mark = path.join(DIST, 'inputs.sha256');
  if (!process.argv.includes('--force') && fs.existsSync(mark) && fs.readFileSync(mark, 'utf8').trim() === inputs) return;

  // Built aside and moved into place at the end: a running server never sees half a bundle.
  const aside = `${DIST}-${process.pid}`;
  const old = `${aside}-old`;
  try {
    const bundle = new Bundle(aside);
    const fontFaces = await buildFonts(bundle);
    buildIcons(bundle);
    buildImages(bundle);
    await buildScripts(bundle);
    await buildStyles(bundle, fontFaces);
    bundle.keep(DIST);
    bundle.close(inputs);
    if (fs.existsSync(DIST)) fs.renameSync(DIST, old);
    fs.renameSync(aside, DIST);
    for (const [name, raw, sent] of bundle.report) console.log(`${String(sent).padStart(7)} ${String(raw).padStart(8)}  ${name}`);
    console.log('  brotli    bytes');
  } finally {
    fs.rmSync(aside, { recursive: true, force: true });
    fs.rmSync(old, { recursive: true, force: true });
  }
}

await main();
