/** Creates the NATS configuration of a new fleet: an operator, its accounts, and the credentials of control. */
import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
  type KeyPair,
  type User,
} from '@nats-io/jwt'
import { controlClaims, edgesClaims, systemClaims } from './claims.ts'
import type { IssuerFile } from './issuer.ts'
import { claimsSubjects } from './system.ts'

export interface Installation {
  /** For nats-server to include. It contains no secret. */
  serverConfig: string
  /** Control's credential, in the format that all NATS clients read. */
  controlCredentials: string
  issuer: IssuerFile
  /** Root seeds, to be stored offline. No program needs them. */
  roots: Record<'operator' | 'system' | 'control' | 'edges', string>
}

/** `resolverDir`: the directory in which nats-server stores accounts. It must be writable for nats-server. */
export async function makeInstallation(resolverDir: string): Promise<Installation> {
  const operator = createOperator()
  const [operatorSigner, edgesSigner] = [createOperator(), createAccount()]
  const [system, control, edges] = [createAccount(), createAccount(), createAccount()]

  const operatorJwt = await encodeOperator('imapfleet', operator, {
    signing_keys: [operatorSigner.getPublicKey()],
    system_account: system.getPublicKey(),
  })
  const signer = { signer: operatorSigner }
  const accounts = {
    [system.getPublicKey()]: await encodeAccount('system', system, { ...systemClaims }, signer),
    [control.getPublicKey()]: await encodeAccount('control', control, { ...controlClaims }, signer),
    [edges.getPublicKey()]: await encodeAccount(
      'edges',
      edges,
      edgesClaims(control.getPublicKey(), edgesSigner.getPublicKey()),
      signer,
    ),
  }
  const { update, lookup, inbox } = claimsSubjects(edges.getPublicKey())
  return {
    serverConfig: serverConfig(
      operatorJwt,
      system.getPublicKey(),
      edges.getPublicKey(),
      accounts,
      resolverDir,
    ),
    controlCredentials: await credentials('control', control, {}),
    issuer: {
      operatorSeed: seedOf(operatorSigner),
      controlAccount: control.getPublicKey(),
      edgesAccount: edges.getPublicKey(),
      edgesSeed: seedOf(edgesSigner),
      systemCredentials: await credentials('control', system, {
        pub: { allow: [update, lookup] },
        sub: { allow: [inbox] },
      }),
    },
    roots: {
      operator: seedOf(operator),
      system: seedOf(system),
      control: seedOf(control),
      edges: seedOf(edges),
    },
  }
}

async function credentials(name: string, account: KeyPair, user: Partial<User>): Promise<string> {
  const key = createUser()
  return new TextDecoder().decode(fmtCreds(await encodeUser(name, key, account, user), key))
}

const seedOf = (key: KeyPair): string => new TextDecoder().decode(key.getSeed())

const serverConfig = (
  operator: string,
  system: string,
  edges: string,
  accounts: Record<string, string>,
  resolverDir: string,
): string => `# Created by imapfleet-control nats init. Include it in the configuration of every nats-server of the fleet.
operator: "${operator}"
system_account: "${system}"
# Lets edges behind a leaf node read their entry in JetStream.
default_js_domain { ${edges}: "" }
resolver {
  type: full
  dir: ${JSON.stringify(resolverDir)}
  allow_delete: false
  interval: "5s"
}
resolver_preload {
${Object.entries(accounts)
  .map(([key, jwt]) => `  ${key}: "${jwt}"`)
  .join('\n')}
}
`
