/**
 * The most important data of each page of the console: control sends the answers together with the page, so that the page need
 * not ask for them.
 */
import { firstPartOf, historyQuestionIn, historyRequest } from './history-question.ts'
import { matchPath, type PathParams } from './match-path.ts'
import { isRevision } from './revision-number.ts'

/** What a window shows of the table of edges. A thousand edges take control and a browser longer. */
export const firstEdges = 30

/** In an array one follows the answer of the other. */
type Requests = readonly (string | readonly string[])[]

/** The first requests of pages, exactly as the pages make them. Any other request would be useless. */
const pages: Readonly<Record<string, (params: PathParams, search: URLSearchParams) => Requests>> = {
  '/': (_, search) => [search.size === 0 ? `/v1/edges?limit=${firstEdges}` : '/v1/edges'],
  '/edges/:id': ({ id = '' }) => [`/v1/edges/${encodeURIComponent(id)}`],
  '/history': (_, search) => {
    const question = historyQuestionIn(search)
    return question.metrics.length > 0 ? [historyRequest(firstPartOf(question) ?? question)] : []
  },
  '/alerts': (_, search) =>
    search.size === 0 ? ['/v1/alert-rules', '/v1/alerts?limit=50&state=open'] : ['/v1/alert-rules'],
  '/trace': () => ['/v1/traces?limit=50'],
  '/config': () => [['/v1/rollouts?limit=1', '/v1/config', '/v1/rollouts?limit=1']],
  '/config/:revision': ({ revision = '' }) =>
    isRevision(revision) ? [`/v1/config/revisions/${revision}`, `/v1/rollouts/${revision}`] : [],
  '/orders': () => ['/v1/orders?limit=50'],
  '/access': () => ['/v1/tokens?limit=50'],
  '/audit': (_, search) => (search.size === 0 ? ['/v1/audit?limit=50'] : []),
}

/** Of a page, by the path and the query of its address. Each page also asks whose session it is. */
export function firstRequests(path: string, search: URLSearchParams): Requests {
  const found = Object.entries(pages).flatMap(([pattern, requestsOf]) => {
    const params = matchPath(pattern, path)
    return params ? requestsOf(params, search) : []
  })
  return ['/v1/session', ...found]
}
