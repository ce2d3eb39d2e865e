/** A leaf node of NATS for one region, configured from infra/nats/leaf.conf as by an operator. */
import assert from 'node:assert/strict'
import { chown, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  findNatsServer,
  layGround,
  LocalProcess,
  node,
  programFiles,
  repository,
  type Ground,
  type Nats,
} from '@imapfleet/local'
import { runCommand } from './command.ts'

interface LeafNode {
  /** Of its process and of its directory. */
  name?: string
  port: number
  region: string
  /** The addresses of the leaf node listeners of the fleet's servers. */
  hubs: readonly string[]
  /** Arguments of `nats leaf` for TLS. */
  tls?: readonly string[]
}

export async function leafNode(
  { ground, nats }: { ground: Ground; nats: Nats },
  { name = 'nats-leaf', port, region, hubs, tls = [] }: LeafNode,
): Promise<LocalProcess> {
  const home = layGround(join(ground.directory, name)).directory
  const files = join(home, 'files')
  const roots = join(nats.keys!.accountsFile, '../roots.json')
  const args = [
    'nats',
    'leaf',
    '--region',
    region,
    '--roots',
    roots,
    '--dir',
    files,
    '--hub',
    ...hubs,
    ...tls,
  ]
  const made = await runCommand(node, [programFiles.control, ...args])
  assert.equal(made.status, 0, made.stderr)
  assert.doesNotMatch(made.stdout, /SEED|eyJ/)
  assert.equal((await runCommand(node, [programFiles.control, ...args])).status, 1, 'it writes over nothing')
  // As on its own host, except for the directory of the accounts.
  const accounts = await readFile(nats.keys!.accountsFile, 'utf8')
  await writeFile(
    join(home, 'accounts.conf'),
    accounts.replace(/(dir: ").*"/, `$1${join(home, 'accounts')}"`),
  )
  const example = await readFile(`${repository}/infra/nats/leaf.conf`, 'utf8')
  const config = example
    .replace('0.0.0.0:4222', `127.0.0.1:${port}`)
    .replace('../leaf/remotes.conf', 'files/remotes.conf')
  assert.notEqual(config, example)
  await writeFile(join(home, 'leaf.conf'), config)
  const { account } = ground
  if (account)
    for (const path of ['', 'files', ...(await readdir(files)).map((file) => `files/${file}`)])
      await chown(join(home, path), account.uid, account.gid)
  return new LocalProcess({
    name,
    command: await findNatsServer(),
    args: ['-c', join(home, 'leaf.conf')],
    ground,
    isReady: async () =>
      /Leafnode connection created for account/.test(
        await readFile(join(ground.directory, `logs/${name}.log`), 'utf8'),
      ),
  })
}
