/**
 * Requests the most important data of the page while the console itself is still being loaded, which takes a browser about
 * as long as control needs to answer. build.ts makes this file a separate script, the first script of the page. The client
 * of control takes the answers (api/first-answers.ts).
 */
import { keepFirstAnswers } from './api/first-answers.ts'
import { firstPartOf, historyRequest, questionIn } from './fleet/history-question.ts'
import { isRevision } from './fleet/revision-number.ts'
import { match, type Params } from './router/match.ts'

/** In an array one follows the answer of the other. */
type Requests = readonly (string | readonly string[])[]

/** The first requests of pages, exactly as the pages make them. Any other request would be useless. */
const pages: Readonly<Record<string, (params: Params, search: URLSearchParams) => Requests>> = {
  '/': () => ['/v1/edges', '/v1/alerts?state=open&limit=500'],
  '/edges/:id': ({ id = '' }) => [`/v1/edges/${encodeURIComponent(id)}`],
  '/history': (_, search) => {
    const question = questionIn(search)
    if (question.metrics.length === 0) return []
    const first = firstPartOf(question)
    return [first ? [historyRequest(first), historyRequest(question)] : historyRequest(question)]
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

// A page in a tab that is not shown asks when it is.
if (!document.hidden) {
  const search = new URLSearchParams(location.search)
  const found = Object.entries(pages).flatMap(([pattern, requestsOf]) => {
    const params = match(pattern, location.pathname)
    return params ? requestsOf(params, search) : []
  })
  for (const each of ['/v1/session', ...found]) keepFirstAnswers([each].flat())
}
