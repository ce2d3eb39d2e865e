/** For tests: a client before its login, the edge's end of its connection, and the context of an edge that does not listen. */
import assert from 'node:assert/strict'
import { resolveConfig, type Layer } from '@imapfleet/config'
import { Log } from '@imapfleet/observe'
import { Client, type PreloginLimits } from '../client/client.ts'
import { createContext, type EdgeContext } from '../edge/context.ts'
import { Clock } from '../edge/clock.ts'
import { Place } from '../net/client-admission.ts'
import type { Link } from '../net/link.ts'
import { acceptedLink, type Peer } from '../net/wire.test-support.ts'
import { nextLogin, type Login } from './prelogin.ts'

export const roomy: PreloginLimits = {
  lineBytesMax: 1000,
  preloginBytesMax: 10_000,
  preloginCommandsMax: 50,
  loginTimeoutMs: 60_000,
  loginFailuresMax: 3,
}

export interface Arriving {
  client: Client
  peer: Peer
  context: EdgeContext
  /** Settles with the client's login, or with undefined if the client disconnects before. */
  login: () => Promise<Login | undefined>
}

/** The context of an edge with this configuration. */
export function contextOf(layer: Layer = {}): EdgeContext {
  const resolved = resolveConfig(layer)
  assert.ok(resolved.ok, JSON.stringify(resolved))
  const log = new Log({ level: 'debug', format: 'text' }, () => {})
  return createContext(resolved.config, log, new Clock())
}

/** A context whose server cannot be reached. */
const defaultContext = contextOf({ upstreams: { main: { hosts: ['127.0.0.1'], port: 1 } } })

export async function arriving(
  context: EdgeContext = defaultContext,
  limits: Partial<PreloginLimits> = {},
): Promise<Arriving> {
  const { link, peer } = await acceptedLink()
  const client = clientOn(link, context, limits)
  return { client, peer, context, login: () => nextLogin(client, context) }
}

/** The edge's end of a client whose connection is accepted. */
export function clientOn(
  link: Link,
  context: EdgeContext = defaultContext,
  limits: Partial<PreloginLimits> = {},
): Client {
  return new Client({
    link,
    place: new Place('imap'),
    address: () => '127.0.0.1',
    secure: false,
    limits: { ...roomy, ...limits },
    acceptedAt: context.clock.now(),
  })
}

/** The credentials of a login as text. */
export function said(login: Login | undefined): Record<string, string> | undefined {
  if (!login) return undefined
  const { user, authzid, secret, mechanism } = login.credentials
  return {
    tag: login.tag,
    user: user.toString('latin1'),
    ...(authzid.length > 0 && { authzid: authzid.toString('latin1') }),
    secret: secret.toString('latin1'),
    mechanism,
  }
}
