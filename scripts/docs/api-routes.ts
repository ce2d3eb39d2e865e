/** Each route of the API is used by a command of the CLI, or is listed here with the reason why not. */
import { globSync, readFileSync } from 'node:fs'
import { routesOf } from '../manuals/api-types.ts'
import { readOpenApi } from '../manuals/openapi.ts'
import type { Complaint } from '../page.ts'

const functions = 'apps/cli/src/api.ts'
const users = 'apps/cli/src/**/*.ts'
const list = 'scripts/docs/api-routes.ts'

const apiOnly: Readonly<Record<string, string>> = {
  'GET /v1/config/keys': 'for the console; the command has the schema itself (config keys)',
  'POST /v1/config/import': 'for the console; the command reads the file itself (config import)',
  'GET /v1/metrics': 'for Prometheus',
}

export function unusedRoutes(): Complaint[] {
  const routes = routesOf(readOpenApi())
  const used = usedRoutes()
  const unused = routes.filter((route) => !used.has(route) && !Object.hasOwn(apiOnly, route))
  const needless = Object.keys(apiOnly).filter((route) => !routes.includes(route) || used.has(route))
  return [
    ...unused.map((route) => ({
      file: functions,
      line: 1,
      message: `${route} is used by no command; add one, or list it in ${list} with a reason`,
    })),
    ...needless.map((route) => ({
      file: list,
      line: 1,
      message: `${route} is gone or is used by a command; take it out of the list`,
    })),
  ]
}

/** Routes of the functions of api.ts that some command calls. */
function usedRoutes(): Set<string> {
  const commands = globSync(users)
    .filter((file) => file !== functions && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  const defined = readFileSync(functions, 'utf8').matchAll(
    /^ {4}(\w+): [^\n]*(?:\n {6}[^\n]*)*?'((?:GET|POST|PUT|PATCH|DELETE) \/v1\/[^']+)'/gm,
  )
  return new Set(
    [...defined].flatMap(([, name = '', route = '']) =>
      new RegExp(`\\.${name}\\b`).test(commands) ? [route] : [],
    ),
  )
}
