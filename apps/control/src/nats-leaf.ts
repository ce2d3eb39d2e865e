/** `imapfleet-control nats leaf`: writes the files of a leaf node for one region. It never overwrites a file. */
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
  /** The URLs at which the servers of the fleet accept leaf nodes. */
  hub: string[]
}

/** Throws if one of the files exists, or cannot be read or written. */
export async function writeLeaf({ region, roots, dir, hub }: LeafOptions): Promise<string[]> {
  const directory = resolve(dir)
  const file = (name: string) => join(directory, name)
  const [config, edges, system] = [file('remotes.conf'), file('edges.creds'), file('system.creds')]
  for (const path of [config, edges, system])
    if (existsSync(path)) throw new Error(`${path} already exists: use another directory, or move the file`)
  const made = await makeLeaf(readRoots(roots), region)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeNewFile(edges, made.edges.credentials, 0o600)
  writeNewFile(system, made.system.credentials, 0o600)
  writeNewFile(
    config,
    `# Created by imapfleet-control nats leaf. Include it in the configuration of the leaf node of the region ${region}.
leafnodes {
  remotes: [
    ${remote(hub, made.edges, edges)}
    ${remote(hub, made.system, system)}
  ]
}
`,
    0o600,
  )
  return [
    `${config}  include it in the configuration of the leaf node of ${region}`,
    `${edges}  its credential for the account of the edges`,
    `${system}  its credential for receiving revocations`,
  ]
}

const remote = (hub: string[], { account }: LeafLink, file: string) =>
  `{ urls: ${JSON.stringify(hub)}, account: "${account}", credentials: ${JSON.stringify(file)} }`

function readRoots(file: string) {
  try {
    return leafRootsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // The reason is not reported, because the file is secret.
    throw new Error(`${file} is not a roots.json of nats init`)
  }
}
