/**
 * nats-server with JetStream, on loopback: with a credential for each edge, or with a random token that all share; or
 * an external server.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { findProgram, unpackPackage } from './debian.ts'
import { environment } from './environment.ts'
import { ownDirectory, type Ground } from './ground.ts'
import { LocalError } from './local-error.ts'
import { keepNatsKeys, type NatsKeys } from './nats-keys.ts'
import { runDirectory } from './paths.ts'
import { freePort } from './ports.ts'
import { probe } from './probe.ts'
import { LocalProcess } from './process.ts'
import { keepSecret, writePrivate } from './secret-file.ts'

export interface NatsOptions {
  /** Gets a few words about anything that takes long. */
  note?: (text: string) => void
  ground: Ground
  preferredPort?: number | undefined
  /** A credential for each edge. */
  perEdge?: boolean | undefined
  /** For one of several servers on the same ground. Each has files of its own; all have the same keys. */
  name?: string | undefined
  /** Additional lines of its configuration. */
  settings?: string[] | undefined
  /** An external server to use instead. */
  existing?: { url: string; tokenFile: string | undefined } | undefined
}

export interface Nats {
  /** `nats://HOST:PORT`, without credentials. Several are separated by commas. */
  url: string
  tokenFile: string | undefined
  /** Set if each edge needs its own credential. */
  keys?: NatsKeys | undefined
  version: string
  /** Undefined for an external server. */
  process: LocalProcess | undefined
}

const unpacked = `${runDirectory}/packages/nats-server`

/** NATS_SERVER_BIN, the PATH, then a copy in the clone. Downloads that copy if there is none. */
export async function findNatsServer(note?: (text: string) => void): Promise<string> {
  const named = environment.natsServerProgram
  if (named) {
    if (existsSync(named)) return named
    throw new LocalError('program_missing', `NATS_SERVER_BIN names ${named}, which does not exist`)
  }
  const copy = `${unpacked}/usr/sbin/nats-server`
  const found = findProgram('nats-server') ?? (existsSync(copy) ? copy : undefined)
  if (found) return found
  note?.("unpacking Debian's package")
  const trouble = await unpackPackage('nats-server', unpacked)
  if (trouble === undefined) return copy
  throw new LocalError(
    'program_missing',
    `nats-server is missing and could not be fetched (${trouble}). Install it (Debian and Ubuntu: sudo apt-get update ` +
      '&& sudo apt-get install nats-server; macOS: brew install nats-server), or set NATS_SERVER_BIN to the program ' +
      'or NATS_URL to a running server',
  )
}

export async function natsServer({
  ground,
  preferredPort,
  existing,
  perEdge,
  name,
  settings = [],
  note,
}: NatsOptions): Promise<Nats> {
  if (existing) return existingServer(existing)

  const program = await findNatsServer(note)
  const port = await freePort(preferredPort)
  const home = name === undefined ? ownDirectory(ground, 'nats') : ownDirectory(ground, 'nats', name)
  const keys = perEdge ? await keepNatsKeys(ground) : undefined
  const tokenFile = keys ? undefined : `${home}/token`
  const token = tokenFile && keepSecret(tokenFile, ground.account)
  const access = keys ? `include "accounts.conf"` : `authorization { token: "${token}" }`
  if (keys) writePrivate(`${home}/accounts.conf`, accountsOf(keys, home), ground.account)
  writePrivate(
    `${home}/server.conf`,
    configuration(port, [access, ...settings], `${home}/jetstream`),
    ground.account,
  )
  const child = new LocalProcess({
    name: name ?? 'nats-server',
    command: program,
    args: ['-c', `${home}/server.conf`],
    ground,
    isReady: () => answers(port, token),
  })
  const url = `nats://127.0.0.1:${port}`
  return { url, tokenFile, keys, version: versionOf(program), process: child }
}

/** With the directory of accounts of this server. */
const accountsOf = ({ accountsFile }: NatsKeys, home: string): string =>
  readFileSync(accountsFile, 'utf8').replace(/(dir: ").*"/, `$1${home}/accounts"`)

function configuration(port: number, settings: string[], store: string): string {
  return [
    `listen: "127.0.0.1:${port}"`,
    ...settings,
    `jetstream { store_dir: ${JSON.stringify(store)} }`,
    'max_payload: 1MB',
    '',
  ].join('\n')
}

function versionOf(program: string): string {
  const said = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? ''
  return /v?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? 'of unknown version'
}

/**
 * The first lines of the NATS protocol: ready when JetStream is enabled and the server accepts the token. Without a
 * token, or if the server requires TLS, the greeting is enough.
 */
const answers = (port: number, token: string | undefined) =>
  probe({
    host: '127.0.0.1',
    port,
    ...(token !== undefined && {
      say: `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, auth_token: token })}\r\nPING\r\n`,
    }),
    judge: (said) =>
      said.includes(token === undefined || said.includes('"tls_required":true') ? '\r\n' : 'PONG')
        ? said.includes('"jetstream":true')
        : said.includes('-ERR')
          ? false
          : undefined,
  })

async function existingServer(server: NonNullable<NatsOptions['existing']>): Promise<Nats> {
  const [first = ''] = server.url.split(',')
  const { hostname, port } = URL.canParse(first) ? new URL(first) : { hostname: '', port: '' }
  const isNats = (said: string) => (said.length < 4 ? undefined : said.startsWith('INFO'))
  if (hostname === '' || !(await probe({ host: hostname, port: Number(port || 4222), judge: isNats })))
    throw new LocalError(
      'service_unreachable',
      `no NATS server answers at ${hostname || 'what NATS_URL says'}: start it, or set NATS_URL to nats://HOST:PORT`,
    )
  return { ...server, version: '', process: undefined }
}
