/**
 * The credentials of a leaf node between the edges of a region and the fleet. One credential is for the account of the
 * edges. The other is for the system account: with it the leaf node requests accounts, and so receives revocations.
 */
import { createUser, encodeUser, fmtCreds, fromSeed, type KeyPair, type User } from '@nats-io/jwt'
import { crossings, rightsOf } from '@imapfleet/protocol'
import { z } from 'zod'

const seed = z.string().regex(/^SA[A-Z2-7]{56}$/, 'is not a seed SA...')
/** The part of the roots of `nats init` that is needed here. */
export const leafRootsSchema = z.object({ system: seed, edges: seed })

export interface LeafLink {
  /** Public key of the account. */
  account: string
  credentials: string
}

/**
 * NATS forwards to a leaf node only subscriptions that are entirely within its permissions, and the subscriptions of
 * the streams cover all regions. A leaf node can therefore publish what any edge can publish. It receives only
 * messages for its own region.
 */
export async function makeLeaf(
  roots: z.infer<typeof leafRootsSchema>,
  region: string,
): Promise<Record<'edges' | 'system', LeafLink>> {
  const link = async (root: string, user: Partial<User>) => {
    const account = keyOf(root)
    return {
      account: account.getPublicKey(),
      credentials: await credentials(`leaf-${region}`, account, user),
    }
  }
  return {
    edges: await link(roots.edges, {
      pub: { allow: [...crossings.fromEdges] },
      sub: { allow: rightsOf({ region, edge: '*' }).subscribe },
    }),
    system: await link(roots.system, {
      pub: { allow: ['$SYS.REQ.CLAIMS.PACK', '$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP'] },
      sub: { allow: ['$SYS._INBOX.>'] },
    }),
  }
}

async function credentials(name: string, account: KeyPair, user: Partial<User>): Promise<string> {
  const key = createUser()
  const jwt = await encodeUser(name, key, account, { ...user, allowed_connection_types: ['LEAFNODE'] })
  return new TextDecoder().decode(fmtCreds(jwt, key))
}

const keyOf = (text: string): KeyPair => fromSeed(new TextEncoder().encode(text))
