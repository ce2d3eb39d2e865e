/** The routes of the API that messages of control name, as pages of the console. */

const pages: Readonly<Record<string, string>> = {
  'GET /v1/alerts': 'Alerts',
  'GET /v1/alert-silences': 'Alerts',
  'GET /v1/config': 'Config',
  'GET /v1/config/revisions': 'Config',
  'GET /v1/edges': 'Overview',
  'GET /v1/enrolments': 'Access',
  'GET /v1/operations': 'Orders',
  'GET /v1/orders': 'Orders',
  'GET /v1/revocations': 'Users',
  'GET /v1/rollouts': 'Config',
  'GET /v1/tokens': 'Access',
  'GET /v1/traces': 'Trace',
}

/** `GET /v1/edges lists all edges` becomes `the page Overview lists all edges`. */
export const withPages = (message: string): string =>
  message
    .replace(/ \(POST \/v1\/(?:operations|rollouts)\/[\w-]+\/abort\)/g, '')
    .replace(/POST \/v1\/rollouts\/[\w-]+\/abort/g, 'Abort on its page')
    .replace(/GET \/v1\/[\w/-]+/g, (route) =>
      Object.hasOwn(pages, route) ? `the page ${pages[route]}` : route,
    )
