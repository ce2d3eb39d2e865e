/** `routes`: which users go to which upstream. */
import { z } from 'zod'
import { field, entryName } from '../fields.ts'

const route = z.strictObject({
  upstream: field(
    entryName,
    'Upstream of the users that match every condition of this route. The first route that matches is used; without one, the upstream main, or the first if none is named main.',
  ),
  domain: field(
    z.string().min(1).max(255).optional(),
    'Matches users whose name ends in @ and this domain. Upper and lower case are the same.',
  ),
  user: field(
    z.string().min(1).max(255).optional(),
    'Matches users by name. * stands for any characters; upper and lower case are the same.',
  ),
  listener: field(entryName.optional(), 'Matches clients that are connected to this listener.'),
})

export type RouteConfig = z.infer<typeof route>

export const routesSection = z.array(route).max(10_000).default([])
