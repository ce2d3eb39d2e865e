/** nats-server with JetStream, on loopback, behind a random token. `NATS_URL` uses a server that already runs. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { findProgram, unpackPackage } from './debian.ts'
import { environment } from './environment.ts'
import { ownDirectory, type Ground } from './ground.ts'
import { LocalError } from './local-error.ts'
import { runDirectory } from './paths.ts'
import { freePort } from './ports.ts'
import { LocalProcess } from './process.ts'
import { keepSecret, writePrivate } from './secret-file.ts'

export interface NatsOptions {
  /** Gets a few words on anything that takes long. */
  note?: (text: string) => void
  ground: Ground
  preferredPort?: number | undefined
}

export interface Nats {
  /** `nats://HOST:PORT`, without credentials. */
  url: string
  tokenFile: string | undefined
  version: string
  /** Undefined for a server that is not ours. */
  process: LocalProcess | undefined
}

const unpacked = `${runDirectory}/packages/nats-server`

/** NATS_SERVER_BIN, the PATH, then a copy in the clone; fetches that copy if there is none. */
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
  if (await unpackPackage('nats-server', unpacked)) return copy
  throw new LocalError(
    'program_missing',
    'nats-server is missing. Install it (Debian and Ubuntu: sudo apt-get update && sudo apt-get install nats-server; ' +
      'macOS: brew install nats-server), or set NATS_SERVER_BIN to the program or NATS_URL to a running server',
  )
}

export async function natsServer({ ground, preferredPort, note }: NatsOptions): Promise<Nats> {
  const url = environment.natsUrl
  if (url) return { url, tokenFile: environment.natsTokenFile, version: 'NATS_URL', process: undefined }

  const program = await findNatsServer(note)
  const port = await freePort(preferredPort)
  const home = ownDirectory(ground, 'nats')
  const tokenFile = `${home}/token`
  const token = keepSecret(tokenFile, ground.account)
  writePrivate(`${home}/server.conf`, configuration(port, token, `${home}/jetstream`), ground.account)
  const child = new LocalProcess({
    name: 'nats-server',
    command: program,
    args: ['-c', `${home}/server.conf`],
    ground,
    isReady: () => answers(port, token),
  })
  return { url: `nats://127.0.0.1:${port}`, tokenFile, version: versionOf(program), process: child }
}

function configuration(port: number, token: string, store: string): string {
  return [
    `listen: "127.0.0.1:${port}"`,
    `authorization { token: "${token}" }`,
    `jetstream { store_dir: ${JSON.stringify(store)} }`,
    'max_payload: 1MB',
    '',
  ].join('\n')
}

function versionOf(program: string): string {
  const said = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? ''
  return /v?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? 'of unknown version'
}

/** Speaks the first lines of the NATS protocol: true once it takes the token and JetStream is on. */
function answers(port: number, token: string): Promise<boolean> {
  return new Promise((resolve) => {
    let said = ''
    const socket = createConnection({ host: '127.0.0.1', port })
    const end = (ready: boolean) => {
      socket.destroy()
      resolve(ready)
    }
    socket.setTimeout(1_000, () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.on('connect', () =>
      socket.write(
        `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, auth_token: token })}\r\nPING\r\n`,
      ),
    )
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
      if (said.includes('PONG')) end(said.includes('"jetstream":true'))
      else if (said.includes('-ERR')) end(false)
    })
  })
}
