/** Routes of the console's session. */
import type { sessionRoutes } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import type { SourceOf } from '../../platform/http/source.ts'
import { clearSession, readSession, refuseOtherSites, writeSession } from './cookie.ts'
import { signIn, signOut } from './service.ts'

export const sessionHandlers = (deps: Deps, sourceOf: SourceOf): Handlers<typeof sessionRoutes> => ({
  signIn: async ({ body, context }) => {
    refuseOtherSites(context)
    const { secret, actor } = await signIn(deps, body.token, sourceOf(context))
    writeSession(context, secret)
    return view(actor)
  },
  signOut: async ({ context }) => {
    refuseOtherSites(context)
    const secret = readSession(context)
    if (secret !== undefined) await signOut(deps, secret)
    clearSession(context)
  },
  readSession: ({ actor }) => view(actor),
})

const view = ({ name, role, scopes, limits }: Actor) => ({ name, role, scopes: [...scopes], limits })
