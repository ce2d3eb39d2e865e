/**
 * `npm run quickstart`: the whole fleet on this machine until Ctrl-C. scripts/quickstart.mjs installs what is needed
 * and starts this with the pinned Node.
 */
import { connect } from 'node:net'
import type { Upstream } from '../edge.ts'
import { environment } from '../environment.ts'
import { layGround } from '../ground.ts'
import { codeOf, LocalError, messageOf } from '../local-error.ts'
import { runDirectory } from '../paths.ts'
import { startStack, type StackOptions } from '../stack.ts'
import { readArguments, quickstartUsage } from './arguments.ts'
import { describeFacts, removeFacts, writeFacts } from './facts.ts'
import { releaseLock, takeQuickstartLock } from './lock.ts'
import { QuickstartScreen } from './screen.ts'

const edges = [
  { id: 'eu-1', region: 'eu', imapPort: 1143, httpPort: 9143 },
  { id: 'us-1', region: 'us', imapPort: 1144, httpPort: 9144 },
]
const ports = { nats: 4222, postgres: 5432, dovecot: 10_143, api: 8080 }

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2))
  if (options.kind === 'help') return print(quickstartUsage, 0)
  if (options.kind === 'wrong') return complain(options.message, 2)
  const life = new AbortController()
  const stopping = untilToldToStop(life)
  try {
    layGround(runDirectory)
    takeQuickstartLock()
    removeFacts()
    if (options.upstream) await reach(options.upstream)
    await run(options.upstream, life.signal, stopping)
    return 0
  } catch (error) {
    if (life.signal.aborted && isInterruption(error)) return print('Stopped.', 0)
    if (error instanceof LocalError) return complain(error.message, 1)
    throw error
  } finally {
    releaseLock()
  }
}

async function run(
  upstream: Upstream | undefined,
  signal: AbortSignal,
  stopping: Promise<void>,
): Promise<void> {
  const since = performance.now()
  const parts = [
    'nats-server',
    'postgres',
    ...(upstream ? [] : ['dovecot']),
    'control',
    ...edges.map(({ id }) => id),
  ]
  process.stdout.write('\nStarting imapfleet\n\n')
  const screen = new QuickstartScreen(process.stdout, parts)
  const { natsUrl, natsTokenFile, databaseUrl } = environment
  const options: StackOptions = {
    directory: runDirectory,
    edges: edges.map((edge) => ({ ...edge, config: tlsFor(upstream) })),
    ports,
    upstream,
    existing: {
      nats: natsUrl ? { url: natsUrl, tokenFile: natsTokenFile } : undefined,
      postgres: databaseUrl,
    },
    heal: true,
    signal,
    onProgress: (progress) => screen.show(progress),
  }
  const stack = await startStack(options).finally(() => screen.finish())
  writeFacts(stack)
  print(describeFacts(stack, (performance.now() - since) / 1000), 0)
  await stopping
  removeFacts()
  print('\nStopping ...', 0)
  await stack.stop()
  print('Stopped. Data is kept in .run/', 0)
}

const isInterruption = (error: unknown) =>
  error instanceof LocalError
    ? error.code === 'aborted'
    : error instanceof Error && error.name === 'AbortError'

/** TLS on its usual port; on other ports what the server offers, except on this machine. */
function tlsFor(upstream: Upstream | undefined) {
  if (!upstream || ['127.0.0.1', '::1', 'localhost'].includes(upstream.host)) return {}
  return { upstreams: { main: { tls: upstream.port === 993 ? 'implicit' : 'opportunistic' } } }
}

/** Reports a wrong address immediately, not at the first login. */
async function reach({ host, port }: Upstream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect({ host, port, timeout: 5_000 })
  socket.on('connect', resolve)
  socket.on('timeout', () => reject(new Error('no answer in 5 s')))
  socket.on('error', reject)
  try {
    await promise
  } catch (error) {
    throw new LocalError(
      'service_unreachable',
      `no IMAP server at --upstream ${host}:${port} (${codeOf(error) ?? messageOf(error)}): start it or correct the address`,
    )
  } finally {
    socket.destroy()
  }
}

/** Signals, or the end of the script that started us. A second Ctrl-C after a moment ends everything immediately. */
function untilToldToStop(life: AbortController): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let toldAt: number | undefined
  const told = () => {
    const now = performance.now()
    // The children die with us. After a moment, because a terminal and npm can both send the same Ctrl-C.
    if (toldAt !== undefined && now - toldAt > 1_000) process.kill(process.pid, 'SIGKILL')
    toldAt ??= now
    life.abort()
    resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, told)
  process.on('disconnect', () => toldAt ?? told())
  return promise
}

function print(text: string, status: number): number {
  process.stdout.write(`${text}\n`)
  return status
}

function complain(line: string, status: number): number {
  process.stderr.write(`quickstart: ${line}\n`)
  return status
}

// The reader of the output may exit; the fleet continues.
process.stdout.on('error', () => undefined)
process.exitCode = await main()
process.disconnect?.()
