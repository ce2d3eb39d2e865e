/**
 * A sign-in in progress: a secret in a cookie of the browser, from which state, nonce and PKCE verifier are derived. Control
 * stores nothing, so attempts use no memory, and any replica can finish them.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Proofs } from './provider.ts'

interface Attempt {
  proofs: Proofs
  /** The absolute address of the page of the console to return to. */
  to: string
}

const patienceSeconds = 600
const toMax = 1_000

/** Starts an attempt. It replaces an earlier one of the same browser. */
export function beginAttempt(context: Context, publicUrl: string, asked: string | undefined): Attempt {
  const secret = randomBytes(32).toString('base64url')
  const to = pageWithin(publicUrl, asked)
  const value = `${secret}.${Buffer.from(to.slice(publicUrl.length)).toString('base64url')}`
  setCookie(context, nameAt(publicUrl), value, { ...attributes(publicUrl), maxAge: patienceSeconds })
  return { proofs: proofsOf(secret), to }
}

/** The attempt of this browser; its cookie is deleted. Undefined: there is none, or it has expired. */
export function takeAttempt(context: Context, publicUrl: string): Attempt | undefined {
  const name = nameAt(publicUrl)
  const [, secret, page = ''] = /^([\w-]{43})\.([\w-]{0,4000})$/.exec(getCookie(context, name) ?? '') ?? []
  deleteCookie(context, name, attributes(publicUrl))
  if (secret === undefined) return undefined
  return {
    proofs: proofsOf(secret),
    to: pageWithin(publicUrl, Buffer.from(page, 'base64url').toString('utf8')),
  }
}

/** The address of a page of the console; the overview if another site was asked for. It is absolute, because a path that begins with two slashes would name a host. */
export function pageWithin(publicUrl: string, asked = '/'): string {
  const url = asked.startsWith('/') && asked.length <= toMax ? URL.parse(asked, publicUrl) : null
  return url !== null && url.origin === publicUrl ? url.href : `${publicUrl}/`
}

const proofsOf = (secret: string): Proofs => {
  const derived = (use: string) => createHmac('sha256', secret).update(use).digest('base64url')
  return { state: derived('state'), nonce: derived('nonce'), verifier: derived('verifier') }
}

/** With this prefix, neither another host of the same domain nor plain http can set the cookie. */
const nameAt = (publicUrl: string) => `${isSecure(publicUrl) ? '__Host-' : ''}imapfleet_sign_in`

export const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:')

const attributes = (publicUrl: string) => ({
  path: '/',
  httpOnly: true,
  // The callback is a navigation from another site, and browsers do not send Strict cookies with it.
  sameSite: 'Lax' as const,
  secure: isSecure(publicUrl),
})
