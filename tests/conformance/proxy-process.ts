/** The proxies under test: our edge, and Debian's imapproxy as the control. */
import { chmod, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, programFiles, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { aheadForTests, aheadNearby } from '../support/environment.ts'
import { eventually, isRoot, listening, startChild, type ProxyChild } from './child.ts'

export type ProxyName = 'ours' | 'imapproxy'

export interface ProxyProcess {
  readonly name: ProxyName
  readonly port: number
  readonly pid: number
  /** It sends what clients are expected to ask next. */
  readonly isAhead: boolean
  ending(): string | undefined
  log(): string
  /** Gauges by name; undefined if the proxy has none. */
  gauges(): Promise<Record<string, number> | undefined>
  /** How many connections were not kept, by reason. Empty for imapproxy. */
  refusals(): Promise<Record<string, number>>
  /** Commands of clients that were answered by what the edge had asked ahead. */
  aheadUsed(): Promise<number>
  /** Rewrites the configuration and reloads it. */
  reload(config: Record<string, unknown>): Promise<void>
  stop(): Promise<void>
}

export interface ProxyOptions {
  upstreamPort: number
  /** The server is a stub, which often never answers a reset: a short timeout for it. Scenarios shorten other timeouts themselves. */
  isStub: boolean
  config?: Record<string, unknown>
  keywords?: Record<string, string>
  /** Of our edge: it asks ahead. */
  isAhead?: boolean
}

const root = join(import.meta.dirname, '../..')
export const imapproxyProgram = '/usr/sbin/imapproxyd'
export const haveImapproxy = existsSync(imapproxyProgram)

export function startProxy(name: ProxyName, options: ProxyOptions): Promise<ProxyProcess> {
  return name === 'ours' ? startOurs(options) : startImapproxy(options)
}

/** A directory that the proxy can write to as the user nobody. */
async function openDirectory(): Promise<string> {
  const directory = temporaryDirectory('conformance')
  await chmod(directory, 0o777)
  return directory
}

async function startOurs(options: ProxyOptions): Promise<ProxyProcess> {
  const directory = await openDirectory()
  const [port, httpPort] = [await freePort(), await freePort()]
  const base = ourConfig(port, httpPort, options, directory)
  const file = join(directory, 'edge.yaml')
  const write = (config: Record<string, unknown>) =>
    writeFile(file, JSON.stringify(merge(base, config), null, 2))
  await write(options.config ?? {})
  const child = startChild(process.execPath, [programFiles.edge, '--config', file], { cwd: root })
  const http = `http://127.0.0.1:${httpPort}`
  const ready = async () => (await fetch(`${http}/readyz`).catch(() => undefined))?.status === 200
  await listening(child, port)
  if (!(await eventually(ready, 60_000))) {
    await child.stop()
    throw new Error(`did not become ready\n${child.log().slice(-2000)}`)
  }
  return {
    ...shared('ours', port, child, directory),
    isAhead: (options.isAhead ?? false) || aheadForTests.ahead === 'on',
    gauges: async () => (await statsAt(http))?.gauges ?? {},
    refusals: async () => {
      const counts: Record<string, number> = {}
      for (const [name, count] of Object.entries((await statsAt(http))?.counters ?? {})) {
        const reason = /^reuse_refused_total\{reason="(.+)"\}$/.exec(name)?.[1]
        if (reason !== undefined) counts[reason] = count
      }
      return counts
    },
    aheadUsed: async () => (await statsAt(http))?.counters?.['ahead_used_total{upstream="main"}'] ?? 0,
    reload: async (config) => {
      const before = child.log().length
      await write(config)
      child.signal('SIGHUP')
      const said = () => child.log().slice(before)
      if (!(await eventually(() => /\breloaded\b/.test(said()), 60_000)))
        throw new Error(`the configuration was not reloaded\n${said().slice(-2000)}`)
    },
  }
}

async function startImapproxy(options: ProxyOptions): Promise<ProxyProcess> {
  const directory = await openDirectory()
  const port = await freePort()
  const keywords = {
    server_hostname: '127.0.0.1',
    server_port: String(options.upstreamPort),
    connect_retries: '2',
    connect_delay: '1',
    listen_port: String(port),
    listen_address: '127.0.0.1',
    cache_size: '256',
    cache_expiration_time: '300',
    proc_username: 'nobody',
    proc_groupname: 'nogroup',
    stat_filename: join(directory, 'pimpstats'),
    protocol_log_filename: join(directory, 'protocol.log'),
    syslog_facility: 'LOG_MAIL',
    foreground_mode: 'yes',
    enable_admin_commands: 'yes',
    ...options.keywords,
  }
  const file = join(directory, 'imapproxy.conf')
  await writeFile(
    file,
    Object.entries(keywords)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  )
  const child = startChild(imapproxyProgram, ['-f', file, '-p', join(directory, 'pid')])
  await listening(child, port)
  return {
    ...shared('imapproxy', port, child, directory),
    gauges: () => countsOfImapproxy(port),
    refusals: () => Promise.resolve({}),
    aheadUsed: () => Promise.resolve(0),
    reload: () => Promise.reject(new Error('imapproxy cannot reload')),
  }
}

interface Stats {
  gauges?: Record<string, number>
  counters?: Record<string, number>
}

async function statsAt(http: string): Promise<Stats | undefined> {
  const response = await fetch(`${http}/stats`).catch(() => undefined)
  return (await response?.json()) as Stats | undefined
}

/** Read with XPROXY_DUMPICC, which lists active and cached connections. */
async function countsOfImapproxy(port: number): Promise<Record<string, number> | undefined> {
  const lines = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write('d XPROXY_DUMPICC\r\n'))
    socket.setTimeout(1000, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(text))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (/^d /m.test(text)) socket.destroy()
    })
  })
  if (!/^d OK/m.test(lines)) return undefined
  const count = (word: string) => lines.split('\r\n').filter((line) => line.endsWith(word)).length
  return {
    upstreams_idle: count(' Cached'),
    upstreams_leased: count(' Active'),
    upstreams_resetting: 0,
    upstreams_dialing: 0,
  }
}

function shared(name: ProxyName, port: number, child: ProxyChild, directory: string) {
  return {
    name,
    port,
    pid: child.pid,
    isAhead: false,
    ending: child.ending,
    log: child.log,
    stop: async () => {
      await child.stop()
      await removeTemporaryDirectory(directory)
    },
  }
}

/** No health probes, so that every connection that the server sees has a cause in the scenario. */
function ourConfig(
  port: number,
  httpPort: number,
  { upstreamPort, isStub, isAhead = false }: ProxyOptions,
  directory: string,
) {
  return {
    edge: { id: 'conformance', region: 'lab' },
    listeners: { imap: { address: '127.0.0.1', port } },
    upstreams: {
      main: {
        hosts: ['127.0.0.1'],
        port: upstreamPort,
        connectAttempts: 2,
        connectDelayMs: 50,
        healthIntervalMs: 3_600_000,
        breakerFailures: 0,
        // By default a session with a nearby server learns once a second: what it does would depend on the time.
        ...(isAhead ? aheadNearby : { ahead: 'off', ...aheadForTests }),
      },
    },
    ...(isStub && { pool: { resetTimeoutMs: 1500 } }),
    http: { address: '127.0.0.1', port: httpPort },
    log: { level: 'debug' },
    fleet: { stateDir: directory },
    ...(isRoot ? { process: { user: 'nobody', group: 'nogroup' } } : {}),
  }
}

type Document = Record<string, unknown>
const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function merge(base: Document, over: Document): Document {
  const merged = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isDocument(below) && isDocument(value) ? merge(below, value) : value
  }
  return merged
}
