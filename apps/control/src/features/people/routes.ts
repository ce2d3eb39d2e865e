/** Routes of people. */
import type { peopleRoutes } from '@imapfleet/api'
import type { Context } from 'hono'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import type { SourceOf } from '../../platform/http/source.ts'
import { readSession, refuseOtherSites } from '../access/cookie.ts'
import { allowDeviceLogin, allowLogin, beginDeviceLogin, endOwnToken, redeemLogin } from './cli-login.ts'
import { beginPath } from './pages.ts'
import { endPerson } from './service.ts'

export const peopleHandlers = (deps: Deps, sourceOf: SourceOf): Handlers<typeof peopleRoutes> => ({
  readSignInWays: () => {
    const { provider } = deps
    if (!provider) return { provider: null }
    const { label, publicUrl } = provider.options
    return { provider: { label, url: publicUrl + beginPath } }
  },
  allowLogin: ({ actor, body, context }) => allowLogin(deps, actor, body.challenge, sourceOf(context)),
  beginDeviceLogin: ({ context }) => {
    refuseBrowsers(context)
    return beginDeviceLogin(deps, sourceOf(context))
  },
  allowDeviceLogin: ({ actor, body, context }) =>
    allowDeviceLogin(deps, actor, body.userCode, sourceOf(context)),
  redeemLogin: ({ body, context }) => {
    refuseBrowsers(context)
    return redeemLogin(deps, body, sourceOf(context))
  },
  endOwnToken: ({ actor }) => endOwnToken(deps, actor),
  endPerson: ({ actor, params }) => endPerson(deps, actor, params.name),
})

/** These routes need no cookie, so a page of any site could make a browser call them. */
function refuseBrowsers(context: Context): void {
  const isBrowser = context.req.header('sec-fetch-site') !== undefined || readSession(context) !== undefined
  if (isBrowser) refuseOtherSites(context)
}
