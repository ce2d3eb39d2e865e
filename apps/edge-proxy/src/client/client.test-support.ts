/** For tests: a client before its login, the edge's end of it, and what the edge offers. */
import { acceptedLink, type Peer } from '../net/wire.test-support.ts'
import { Client, type PreloginLimits } from './client.ts'
import { nextLogin, type Login, type Prelogin } from './prelogin.ts'

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
  /** The login that the client comes to, if it comes to one. */
  login: () => Promise<Login | undefined>
}

export async function arriving(
  offer: Partial<Prelogin> = {},
  limits: Partial<PreloginLimits> = {},
): Promise<Arriving> {
  const { link, peer } = await acceptedLink()
  const client = new Client({
    link,
    listener: 'imap',
    address: () => '127.0.0.1',
    secure: false,
    limits: { ...roomy, ...limits },
    now: 0,
  })
  const prelogin: Prelogin = {
    capabilities: () => 'IMAP4rev1 AUTH=PLAIN',
    offersTls: () => false,
    startTls: () => Promise.resolve(false),
    mayLogin: () => true,
    admin: () => false,
    ...offer,
  }
  return { client, peer, login: () => nextLogin(client, prelogin) }
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
