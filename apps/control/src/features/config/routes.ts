/** Routes of the fleet's configuration. */
import type { configRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { JsonReply, type Handlers } from '../../platform/http/handlers.ts'
import { strongTagsOf } from '../../platform/http/if-match.ts'
import {
  changeLayers,
  importConf,
  listConfigKeys,
  listRevisions,
  readConfig,
  readEdgeLayer,
  readRevision,
  restoreRevision,
  undoRevision,
  writeRevision,
} from './service.ts'
import { parseLayerText } from './parse-layer-text.ts'

export const configHandlers = (deps: Deps): Handlers<typeof configRoutes> => ({
  readConfig: async ({ actor }) => {
    const config = await readConfig(deps, actor.limits)
    return new JsonReply(config, { headers: { etag: `"${config.revision}"` } })
  },
  listConfigKeys: () => ({ keys: listConfigKeys() }),
  importConf: ({ body }) => importConf(body.text),
  parseLayerText: ({ body }) => Promise.resolve(parseLayerText(body.text)),
  resolveConfig: ({ actor, query }) => readEdgeLayer(deps, actor.limits, query.edge),
  writeRevision: async ({ actor, headers, body: { set, unset, ...rest } }) => {
    const input = { ...rest, newestIn: revisionsIn(headers['if-match']), change: { set, unset } }
    const { created, status } = await writeRevision(deps, actor, input)
    return new JsonReply(status, { status: created ? 201 : 200 })
  },
  changeLayers: async ({ actor, headers, body: { changes, ...rest } }) => {
    const layers = changes.map(({ layer, ...change }) => ({ layer, change }))
    const input = { ...rest, newestIn: revisionsIn(headers['if-match']), layers }
    const { created, changes: answer } = await changeLayers(deps, actor, input)
    return new JsonReply(answer, { status: created ? 201 : 200 })
  },
  listRevisions: ({ actor, query }) => listRevisions(deps, actor.limits, query),
  readRevision: ({ actor, params }) => readRevision(deps, actor.limits, params.revision),
  restoreRevision: async ({ actor, params, headers, body }) => {
    const input = { ...body, newestIn: revisionsIn(headers['if-match']), revision: params.revision }
    const { created, status } = await restoreRevision(deps, actor, input)
    return new JsonReply(status, { status: created ? 201 : 200 })
  },
  undoRevision: async ({ actor, params, headers, body }) => {
    const input = { ...body, newestIn: revisionsIn(headers['if-match']), revision: params.revision }
    const { created, status } = await undoRevision(deps, actor, input)
    return new JsonReply(status, { status: created ? 201 : 200 })
  },
})

/** The ETag of the configuration is its newest revision. Tags of another form are of another state. */
const revisionsIn = (ifMatch: string | undefined): number[] | undefined =>
  strongTagsOf(ifMatch)?.flatMap((tag) => (/^(0|[1-9]\d{0,14})$/.test(tag) ? [Number(tag)] : []))
