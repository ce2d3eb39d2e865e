/** Routes of rollouts. */
import { createRoute } from '@hono/zod-openapi'
import { rolloutListSchema, rolloutSchema } from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { listRollouts } from './list-rollouts.ts'
import { readRollout } from './read-rollout.ts'
import { steerRollout } from './steer-rollout.ts'
import { bearer, jsonContent, needs, newRoutes, numberedPage, problems } from '../../platform/http/routes.ts'

const shared = { tags: ['rollouts'], security: bearer }
const revision = z.coerce.number().int().min(1).max(2_147_483_647)

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/rollouts',
  summary: 'Rollouts, newest first',
  middleware: needs('viewer'),
  request: { query: numberedPage },
  responses: { 200: jsonContent(rolloutListSchema, 'Rollouts'), ...problems },
})

const read = createRoute({
  ...shared,
  method: 'get',
  path: '/rollouts/{revision}',
  summary: 'One rollout, wave by wave',
  middleware: needs('viewer'),
  request: { params: z.object({ revision }) },
  responses: { 200: jsonContent(rolloutSchema, 'The rollout'), ...problems },
})

const steer = createRoute({
  ...shared,
  method: 'post',
  path: '/rollouts/{revision}/{steering}',
  summary: 'Pause, resume or abort a rollout; abort restores the previous revision',
  middleware: needs('operator'),
  request: { params: z.object({ revision, steering: z.enum(['pause', 'resume', 'abort']) }) },
  responses: { 200: jsonContent(rolloutSchema, 'The rollout'), ...problems },
})

export const rolloutRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(list, async (context) => context.json(await listRollouts(deps, context.req.valid('query')), 200))
    .openapi(read, async (context) =>
      context.json(await readRollout(deps, context.req.valid('param').revision), 200),
    )
    .openapi(steer, async (context) => {
      const { revision: number, steering } = context.req.valid('param')
      return context.json(await steerRollout(deps, context.get('actor'), number, steering), 200)
    })
