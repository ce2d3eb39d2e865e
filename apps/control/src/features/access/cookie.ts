/**
 * The cookie of a console session. Scripts cannot read it, and other sites cannot send it. A write must also have a
 * header that a page of another site cannot add, because control answers no preflight request.
 */
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { ServiceError } from '../../platform/errors.ts'
import { sessionSeconds } from './service.ts'

const name = 'imapfleet_session'
const consoleHeader = 'x-imapfleet-console'

export const readSession = (context: Context): string | undefined => getCookie(context, name)

/** `secure`: whether the browser used https, if its request does not say so. */
export function writeSession(context: Context, secret: string, secure?: boolean): void {
  const usual = attributes(context)
  setCookie(context, name, secret, { ...usual, secure: secure ?? usual.secure, maxAge: sessionSeconds })
}

export function clearSession(context: Context): void {
  deleteCookie(context, name, attributes(context))
}

/** A request that writes with a cookie, or asks for one, must come from the console. */
export function refuseOtherSites(context: Context): void {
  // Browsers send this header if the console was loaded over https or from this machine.
  const site = context.req.header('sec-fetch-site') ?? 'same-origin'
  if (site === 'same-origin' && context.req.header(consoleHeader) !== undefined) return
  throw new ServiceError(
    'origin_refused',
    'A write with the cookie of the console must come from the console; scripts send a token: Authorization: Bearer TOKEN.',
  )
}

/** The scheme that the browser reports, independent of proxies in between. */
const attributes = (context: Context) => ({
  path: '/',
  httpOnly: true,
  sameSite: 'Strict' as const,
  secure: context.req.header('origin')?.startsWith('https:') ?? false,
})
