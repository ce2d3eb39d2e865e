/** Signs credentials of edges, and the account with their revocations. It holds secrets and must never be printed. */
import {
  createUser,
  encodeAccount,
  encodeUser,
  fmtCreds,
  fromPublic,
  fromSeed,
  type Account,
  type KeyPair,
} from '@nats-io/jwt'
import type { EdgeAddress } from '@imapfleet/protocol'
import { z } from 'zod'
import { edgeRole, edgesClaims, regionTag } from './claims.ts'

const seed = (kind: 'O' | 'A') =>
  z.string().regex(new RegExp(`^S${kind}[A-Z2-7]{56}$`), `is not a seed S${kind}...`)
const account = z.string().regex(/^A[A-Z2-7]{55}$/, 'is not a public key A...')

export const issuerFileSchema = z.object({
  /** A signing key of the operator. It signs the account of the edges again after each revocation. */
  operatorSeed: seed('O'),
  controlAccount: account,
  edgesAccount: account,
  /** The signing key of the account of the edges. */
  edgesSeed: seed('A'),
  /** Of a user of the system account that can read and replace the account of the edges. */
  systemCredentials: z.string().includes('USER NKEY SEED'),
})
export type IssuerFile = z.infer<typeof issuerFileSchema>

export interface Minted {
  /** Public key: the name of this credential. */
  key: string
  /** The credentials file. It is not stored. */
  credentials: string
}

export class Issuer {
  readonly systemCredentials: string
  readonly edgesAccount: string
  readonly #controlAccount: string
  readonly #operator: KeyPair
  readonly #edges: KeyPair

  constructor(file: IssuerFile) {
    this.systemCredentials = file.systemCredentials
    this.edgesAccount = file.edgesAccount
    this.#controlAccount = file.controlAccount
    this.#operator = keyOf(file.operatorSeed)
    this.#edges = keyOf(file.edgesSeed)
  }

  /** `expiresAt`: undefined if it does not expire. */
  async mint({ region, edge }: EdgeAddress, expiresAt?: Date): Promise<Minted> {
    const key = createUser()
    const jwt = await encodeUser(
      edge,
      key,
      fromPublic(this.edgesAccount),
      { tags: [regionTag(region)] },
      {
        signer: this.#edges,
        scopedUser: true,
        ...(expiresAt && { exp: Math.floor(expiresAt.getTime() / 1000) }),
      },
    )
    return { key: key.getPublicKey(), credentials: new TextDecoder().decode(fmtCreds(jwt, key)) }
  }

  /** The key and the permissions of edges, as they should be in their account. */
  get role() {
    return edgeRole(this.#edges.getPublicKey())
  }

  /** The account as `nats init` created it. */
  get original(): Partial<Account> {
    return edgesClaims(this.#controlAccount, this.#edges.getPublicKey())
  }

  async sign(claims: Partial<Account>): Promise<string> {
    return await encodeAccount(
      'edges',
      fromPublic(this.edgesAccount),
      { ...claims },
      { signer: this.#operator },
    )
  }
}

const keyOf = (text: string): KeyPair => fromSeed(new TextEncoder().encode(text))
