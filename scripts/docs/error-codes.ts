/** Each error code of an app has its entry in docs/failure-modes.md, and each entry its code. */
import { existsSync, readFileSync } from 'node:fs'
import { readPage, type Complaint } from '../page.ts'

const file = 'docs/failure-modes.md'
/** Heading of the part → where the closed list stands. */
const parts = {
  'Edge proxy': 'apps/edge-proxy/src/errors.ts',
  'Control plane': 'apps/control/src/platform/errors.ts',
}

export function errorCodeDrift(): Complaint[] {
  if (!existsSync(file)) return [{ file, line: 1, message: 'does not exist; it describes every error code' }]
  const entries = entriesIn(readPage(file).lines)
  return Object.entries(parts).flatMap(([part, source]) => {
    const codes = codesIn(source)
    if (codes.length === 0)
      return [
        {
          file: source,
          line: 1,
          message: 'holds no `const errorCodes = {`; it is read by this check',
        },
      ]
    const own = entries.filter((entry) => entry.part === part)
    return [
      ...codes
        .filter(({ code }) => !own.some((entry) => entry.code === code))
        .map(({ code, line }) => ({
          file: source,
          line,
          message: `${code} has no "### \`${code}\`" under "## ${part}" in ${file}`,
        })),
      ...own
        .filter(({ code }) => !codes.some((known) => known.code === code))
        .map(({ code, line }) => ({
          file,
          line,
          message: `${code} is no code of ${source}; take the entry out or put the code in`,
        })),
    ]
  })
}

function entriesIn(lines: string[]): { part: string; code: string; line: number }[] {
  let part = ''
  return lines.flatMap((text, index) => {
    part = /^## (.*)$/.exec(text)?.[1] ?? part
    const code = /^### `(\w+)`/.exec(text)?.[1]
    return code ? [{ part, code, line: index + 1 }] : []
  })
}

/** Apps are processes and not imported here: the list is read as text. */
function codesIn(source: string): { code: string; line: number }[] {
  const text = existsSync(source) ? readFileSync(source, 'utf8') : ''
  const from = text.indexOf('const errorCodes = {')
  const list = from < 0 ? '' : text.slice(from, text.indexOf('\n}', from))
  const before = text.slice(0, Math.max(from, 0)).split('\n').length
  return list.split('\n').flatMap((line, index) => {
    const code = /^ {2}(\w+):/.exec(line)?.[1]
    return code ? [{ code, line: before + index }] : []
  })
}
