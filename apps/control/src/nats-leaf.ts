/** `imapfleet-control nats leaf`: writes the files of a leaf node for one region. It never overwrites a file. */
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { leafRootsSchema, makeLeaf, type LeafLink } from './features/enrolments/leaf.ts'
import { writeNewFile } from './platform/write-new-file.ts'

export interface LeafOptions {
  region: string
  /** roots.json of `nats init`. */
  roots: string
  /** The directory of the files on the leaf node. nats-server requires absolute paths. */
  dir: string
  /** The URLs of the leaf node listeners of the fleet's servers. */
  hub: string[]
  /** PEM file of the CA of the servers; undefined: a CA of the system. */
  ca?: string
}

/** Throws if one of the files exists, or cannot be read or written. */
export async function writeLeaf({ region, roots, dir, hub, ca }: LeafOptions): Promise<string[]> {
  const directory = resolve(dir)
  const file = (name: string) => join(directory, name)
  const [config, edges, system] = [file('remotes.conf'), file('edges.creds'), file('system.creds')]
  const authority = ca === undefined ? undefined : { path: file('ca.pem'), text: readAuthority(ca) }
  for (const path of [config, edges, system, ...(authority ? [authority.path] : [])])
    if (existsSync(path)) throw new Error(`${path} already exists: use another directory, or move the file`)
  const made = await makeLeaf(readRoots(roots), region)
  const remote = (link: LeafLink, credentials: string) => remoteOf(hub, link, credentials, authority?.path)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeNewFile(edges, made.edges.credentials, 0o600)
  writeNewFile(system, made.system.credentials, 0o600)
  if (authority) writeNewFile(authority.path, authority.text, 0o644)
  writeNewFile(
    config,
    `# Created by imapfleet-control nats leaf. Include it in the configuration of the leaf node of the region ${region}.
leafnodes {
  remotes: [
    ${remote(made.edges, edges)}
    ${remote(made.system, system)}
  ]
}
`,
    0o600,
  )
  return [
    `${config}  include it in the configuration of the leaf node of ${region}`,
    `${edges}  its credential for the account of the edges`,
    `${system}  its credential for receiving revocations`,
    ...(authority ? [`${authority.path}  the CA of the servers of the fleet`] : []),
  ]
}

/** After 2 s, the default of `timeout`, nats-server would end a TLS handshake with a busy host. */
function remoteOf(hub: string[], { account }: LeafLink, credentials: string, ca: string | undefined): string {
  const tls = ca === undefined ? '' : `, tls: { ca_file: ${JSON.stringify(ca)}, timeout: 10 }`
  return `{ urls: ${JSON.stringify(hub)}, account: "${account}", credentials: ${JSON.stringify(credentials)}${tls} }`
}

function readAuthority(file: string): string {
  const text = readFileSync(file, 'utf8')
  if (isAuthority(text)) return text
  throw new Error(`${file} has no certificate of a CA`)
}

function isAuthority(text: string): boolean {
  try {
    return new X509Certificate(text).ca
  } catch {
    return false
  }
}

function readRoots(file: string) {
  try {
    return leafRootsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // The reason is not reported, because the file is secret.
    throw new Error(`${file} is not a roots.json of nats init`)
  }
}
