/** Routes of operations in stages. */
import type { operationRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { previewOperation } from './preview.ts'
import { listOperations, readOperation, steerOperation } from './service.ts'

export const operationHandlers = (deps: Deps): Handlers<typeof operationRoutes> => ({
  previewOperation: ({ actor, body }) => previewOperation(deps, actor, body),
  listOperations: ({ query }) => listOperations(deps, query),
  readOperation: ({ params }) => readOperation(deps, params.id),
  steerOperation: ({ actor, params }) => steerOperation(deps, actor, params.id, params.steering),
})
