/** The routes of the API that messages of control name, as commands of this program. */

/** By method and path; `ID` stands for one part of the path. */
const commands: Readonly<Record<string, string>> = {
  'GET /v1/alerts': 'alerts --state all',
  'GET /v1/alert-silences': 'alerts silences',
  'GET /v1/config': 'config get',
  'GET /v1/config/revisions': 'config history',
  'GET /v1/edges': 'edges',
  'GET /v1/enrolments': 'edges enrolments',
  'GET /v1/operations': 'operations',
  'GET /v1/orders': 'orders',
  'GET /v1/revocations': 'revocations',
  'GET /v1/rollouts': 'rollouts',
  'GET /v1/tokens': 'tokens',
  'GET /v1/traces': 'traces',
  'POST /v1/operations/ID/abort': 'operations abort ID',
  'POST /v1/rollouts/ID/abort': 'rollouts abort ID',
}

export const routesIn = /\b(?:GET|POST|DELETE) \/v1\/[\w/-]+/g

/** The command that does what a route does; undefined if there is none. */
export function commandFor(route: string): string | undefined {
  if (Object.hasOwn(commands, route)) return `imapfleet ${commands[route]}`
  const [head, id, tail] = route.split(/(?<=\/v1\/\w+\/)([\w-]+)(?=\/\w+$)/)
  const pattern = `${head}ID${tail ?? ''}`
  if (id === undefined || !Object.hasOwn(commands, pattern)) return undefined
  return `imapfleet ${commands[pattern]?.replace('ID', id)}`
}

/** A message in which routes are replaced by commands. */
export const withCommands = (message: string): string =>
  message.replace(routesIn, (route) => {
    const command = commandFor(route)
    return command === undefined ? route : `\`${command}\``
  })
