/** Routes of the fleet's configuration. */
import type { configRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { JsonReply, type Handlers } from '../../platform/http/handlers.ts'
import {
  importConf,
  listConfigKeys,
  listRevisions,
  readConfig,
  readEdgeLayer,
  readRevision,
  restoreRevision,
  writeRevision,
} from './service.ts'

export const configHandlers = (deps: Deps): Handlers<typeof configRoutes> => ({
  readConfig: async () => {
    const config = await readConfig(deps)
    return new JsonReply(config, { headers: { etag: `"${config.revision}"` } })
  },
  listConfigKeys: () => ({ keys: listConfigKeys() }),
  importConf: ({ body }) => importConf(body.text),
  resolveConfig: ({ query }) => readEdgeLayer(deps, query.edge),
  writeRevision: async ({ actor, headers, body: { set, unset, ...rest } }) => {
    const ifMatch = headers['if-match']
    const input = { ...rest, ...baseOf(ifMatch), change: { set, unset } }
    const { created, status } = await writeRevision(deps, actor, input).catch(asPrecondition(ifMatch))
    return new JsonReply(status, { status: created ? 201 : 200 })
  },
  listRevisions: ({ query }) => listRevisions(deps, query),
  readRevision: ({ params }) => readRevision(deps, params.revision),
  restoreRevision: async ({ actor, params, headers, body }) => {
    const ifMatch = headers['if-match']
    const input = { ...body, ...baseOf(ifMatch), revision: params.revision }
    const { created, status } = await restoreRevision(deps, actor, input).catch(asPrecondition(ifMatch))
    return new JsonReply(status, { status: created ? 201 : 200 })
  },
})

/** The ETag of the configuration is its revision. */
function baseOf(ifMatch: string | undefined): { base?: number } {
  if (ifMatch === undefined || ifMatch.trim() === '*') return {}
  const revision = /^(?:W\/)?"(\d{1,15})"$/.exec(ifMatch.trim())?.[1]
  if (revision === undefined)
    throw new ServiceError('request_invalid', 'If-Match must be the ETag of GET /v1/config, such as "17".')
  return { base: Number(revision) }
}

/** A conflict is answered with 412 if the request used a header. */
const asPrecondition = (ifMatch: string | undefined) => (error: unknown) => {
  const isLost = ifMatch !== undefined && error instanceof ServiceError && error.code === 'config_conflict'
  throw isLost ? new ServiceError('precondition_failed', error.message, { newest: error.newest }) : error
}
