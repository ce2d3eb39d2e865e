/** The account of the edges in nats-server. It is read and replaced through the system account, without a reload. */
import { decode, type Account } from '@nats-io/jwt'
import type { NatsConnection } from '@nats-io/transport-node'
import { connectOnce, credentialsAuthenticator, type NatsAccess } from '@imapfleet/nats'
import { z } from 'zod'
import type { Issuer } from './issuer.ts'

/** The subjects that the system user can use. */
export const claimsSubjects = (account: string) => ({
  update: '$SYS.REQ.CLAIMS.UPDATE',
  lookup: `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`,
  inbox: '_INBOX.>',
})

const timeout = 5_000

const updateAnswerSchema = z.object({
  data: z.object({ code: z.number() }).optional(),
  error: z.object({ description: z.string() }).optional(),
})

export interface EdgesAccount {
  claims: Partial<Account>
  /** When it was signed. Seconds since 1970. */
  signedAt: number
}

/** Runs `work` on a separate connection, because revocations are rare. */
export async function asSystem<T>(
  access: NatsAccess,
  issuer: Issuer,
  work: (system: SystemConnection) => Promise<T>,
): Promise<T> {
  const authenticator = credentialsAuthenticator(issuer.systemCredentials)
  const nats = await connectOnce({ ...access, authenticator }, 'imapfleet-control system')
  try {
    return await work(new SystemConnection(nats, issuer))
  } finally {
    await nats.close()
  }
}

export class SystemConnection {
  readonly #nats: NatsConnection
  readonly #issuer: Issuer

  constructor(nats: NatsConnection, issuer: Issuer) {
    this.#nats = nats
    this.#issuer = issuer
  }

  /** Undefined: nats-server does not know the account. */
  async read(): Promise<EdgesAccount | undefined> {
    const { lookup } = claimsSubjects(this.#issuer.edgesAccount)
    const answer = (await this.#nats.request(lookup, undefined, { timeout })).string()
    if (answer === '') return undefined
    const { nats, iat } = decode<Account>(answer)
    return { claims: nats, signedAt: iat }
  }

  /** Every server of a cluster stores the account, and closes the connections of revoked credentials. */
  async replace(claims: Partial<Account>): Promise<void> {
    const { update } = claimsSubjects(this.#issuer.edgesAccount)
    const answer = await this.#nats.request(update, await this.#issuer.sign(claims), { timeout })
    const said = updateAnswerSchema.safeParse(answer.json())
    if (said.data?.data?.code === 200) return
    throw new Error(
      `nats-server refused the account of the edges: ${said.data?.error?.description ?? 'no reason given'}`,
    )
  }
}
