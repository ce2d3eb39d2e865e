/** docs/benchmarks.md and docs/sizing.md: each benchmark writes its own part, between two comments. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const documents = join(import.meta.dirname, '..', '..', 'docs')
const parts = ['edge', 'profile', 'pressure', 'pages', 'fleet', 'history', 'console'] as const
export type Part = (typeof parts)[number] | 'scale'

const head =
  '# Benchmarks\n\nDo not edit this page: the commands in the comments write it. All benchmarks ran on one machine, on loopback. ' +
  'The load generator, the programs under test and other programs share the same cores.'

export function writePart(part: Part, text: string): void {
  if (part === 'scale') return writeSizing(text)
  const file = join(documents, 'benchmarks.md')
  const page = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const kept = parts.flatMap((each) => {
    const found = each === part ? text.trim() : readPart(page, each)
    return found === undefined ? [] : [`${begin(each)}\n\n${found}\n\n${end(each)}`]
  })
  writeFileSync(file, `${[head, ...kept].join('\n\n')}\n`)
  console.log('\nwritten to docs/benchmarks.md')
}

/** The rest of docs/sizing.md is written by hand. */
function writeSizing(text: string): void {
  const file = join(documents, 'sizing.md')
  const page = readFileSync(file, 'utf8')
  const [before = '', rest = ''] = page.split(begin('scale'))
  const after = rest.split(end('scale'))[1] ?? ''
  writeFileSync(file, `${before}${begin('scale')}\n\n${text.trim()}\n\n${end('scale')}${after}`)
  console.log('\nwritten to docs/sizing.md')
}

function readPart(page: string, part: Part): string | undefined {
  const from = page.indexOf(begin(part))
  const to = page.indexOf(end(part))
  return from < 0 || to < from ? undefined : page.slice(from + begin(part).length, to).trim()
}

const begin = (part: Part) => `<!-- ${part}: written by \`npm run bench ${part}\` -->`
const end = (part: Part) => `<!-- end of ${part} -->`
