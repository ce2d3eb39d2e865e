/** Each variable that control reads has its row in docs/configuration.md. */
import { existsSync, readFileSync } from 'node:fs'
import type { Complaint } from '../page.ts'

const page = 'docs/configuration.md'
const source = 'apps/control/src/settings.ts'

export function undescribedVariables(): Complaint[] {
  if (!existsSync(source))
    return [{ file: source, line: 1, message: 'is gone; the check of variables read it' }]
  const described = existsSync(page) ? readFileSync(page, 'utf8') : ''
  return readFileSync(source, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const variable = /^ {2}([A-Z][A-Z_]+):/.exec(text)?.[1]
      return variable && !described.includes(`| \`${variable}\``)
        ? [{ file: source, line: index + 1, message: `${variable} has no row in ${page}` }]
        : []
    })
}
