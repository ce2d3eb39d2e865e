/**
 * Builds the console into dist/, unless it was already built from the same sources, so that quickstart and tests can
 * call it every time. `--watch` builds again when a file is saved; control serves the result.
 */
import { createHash } from 'node:crypto'
import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { InlineConfig, Plugin } from 'vite'

const here = import.meta.dirname
const built = `${here}/dist`
const sources = [
  'apps/console/{index.html,build.ts,contract.ts,package.json}',
  '{apps/console,packages/*}/src/**/*',
]

if (process.argv.includes('--watch')) await buildInto(built, { watch: {} })
else if (fingerprintIn(built) !== fingerprint()) {
  // Replaced as a whole, so that a browser gets the old files or the new ones, never a mixture.
  const fresh = `${here}/dist-${process.pid}`
  const print = fingerprint()
  await buildInto(fresh, {})
  writeFileSync(`${fresh}/fingerprint`, print)
  rmSync(built, { recursive: true, force: true })
  renameSync(fresh, built)
  process.stdout.write('The web console is built.\n')
}

async function buildInto(outDir: string, more: InlineConfig['build']): Promise<void> {
  const { build } = await import('vite').catch(() => {
    process.stderr.write('vite, which builds the web console, is not installed: run npm ci\n')
    process.exit(1)
  })
  const { contractPlugin } = await import('./contract.ts')
  const usual: InlineConfig = {
    root: here,
    configFile: false,
    logLevel: more?.watch ? 'info' : 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  }
  // Schemas that only packages/api and packages/protocol use are left out, and zod with them.
  const treeshake = { moduleSideEffects: [{ test: /\/packages\//, sideEffects: false }] }
  await build({
    ...usual,
    // Everything is in files of its own, because the content security policy allows nothing inline.
    build: {
      ...{ outDir, emptyOutDir: true, assetsInlineLimit: 0, cssCodeSplit: false, modulePreload: false },
      rolldownOptions: {
        ...{ treeshake, output: { format: 'iife', codeSplitting: false } },
        // What vite adds to `import()` for files of their own uses it.
        transform: { define: { 'import.meta': '{}' } },
      },
      ...more,
    },
    plugins: [contractPlugin(), classicScript(), asciiOnly(), plotWithoutFormatters()],
  })
}

/**
 * The console is no module for the browser: Chromium keeps compiled code of classic scripts, but compiles modules again for every
 * page.
 */
function classicScript(): Plugin {
  return {
    name: 'classic-script',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => html.replace('<script type="module" crossorigin', '<script defer'),
    },
  }
}

/**
 * uPlot creates two formatters of `Intl` when it is run, for labels and time zones that the console formats itself. The first one
 * takes a browser longer than to draw the charts.
 */
function plotWithoutFormatters(): Plugin {
  const unused = [
    [
      "const numFormatter = new Intl.NumberFormat(domEnv ? nav.language : 'en-US');",
      'const numFormatter = { format: String };',
    ],
    ['const localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone;', "const localTz = '';"],
  ] as const
  return {
    name: 'plot-without-formatters',
    transform(code, id) {
      if (!id.endsWith('/uPlot.esm.js')) return undefined
      for (const [line] of unused) if (!code.includes(line)) this.error(`uPlot has changed: ${line}`)
      return unused.reduce((text, [line, instead]) => text.replace(line, instead), code)
    },
  }
}

/** A browser decodes a script without other characters in a tenth of the time, for every page. */
function asciiOnly(): Plugin {
  return {
    name: 'ascii-only',
    generateBundle(_, files) {
      for (const file of Object.values(files)) if (file.type === 'chunk') file.code = inAscii(file.code)
    },
  }
}

/** Escapes are the same in texts, regular expressions and names. Minified code has no comments. */
function inAscii(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function fingerprint(): string {
  const root = `${here}/../..`
  const files = [
    ...sources.flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true })),
    ...globSync('package-lock.json', { cwd: root, withFileTypes: true }),
  ]
  const hash = createHash('sha256')
  for (const path of files
    .filter((file) => file.isFile() && !/\.test\.tsx?$/.test(file.name))
    .map((file) => `${file.parentPath}/${file.name}`)
    .sort())
    hash.update(path.slice(root.length)).update('\0').update(readFileSync(path))
  return hash.digest('hex')
}

function fingerprintIn(directory: string): string | undefined {
  try {
    return readFileSync(`${directory}/fingerprint`, 'utf8')
  } catch {
    return undefined
  }
}
