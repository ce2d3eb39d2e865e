/**
 * What a leaf node of NATS needs to stand between the edges of a region and the fleet: one credential in their account,
 * and one in the system account with which it asks for accounts, so that it learns of revocations.
 */
import { createUser, encodeUser, fmtCreds, fromSeed, type KeyPair, type User } from '@nats-io/jwt'
import { crossings, rightsOf } from '@imapfleet/protocol'
import { z } from 'zod'

const seed = z.string().regex(/^SA[A-Z2-7]{56}$/, 'is not a seed SA...')
/** What is needed of the roots of `nats init`. */
export const leafRootsSchema = z.object({ system: seed, edges: seed })

export interface LeafLink {
  /** Public key of the account. */
  account: string
  credentials: string
}

/**
 * NATS carries to a leaf only interest that lies wholly within its rights, and the streams' is in all regions: so a leaf
 * may send whatever any edge may. What it hears is for its own region alone.
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
