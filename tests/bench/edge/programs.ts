/** Builds the C programs of the benchmark with cc, and the bundle of the edge. Starts the former and reads their JSON lines. */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { freePort, node, repository } from '@imapfleet/local'
import { startProgram, startServer, type BenchChild } from './child.ts'
import { BenchError } from '../problem.ts'

const run = promisify(execFile)
const sources = join(import.meta.dirname, '..', 'c')
const workplace = join(repository, '.run', 'bench')
/** What `npm run package` makes of the programs, before it is packed. */
export const bundleDirectory = join(workplace, 'bundles')

export async function buildPrograms(): Promise<void> {
  mkdirSync(workplace, { recursive: true })
  for (const name of ['stub', 'load', 'relay']) {
    const args = ['-O2', '-Wall', '-Wextra', '-o', join(workplace, name), join(sources, `${name}.c`)]
    await run('cc', args).catch((error: Error & { stderr?: string }) => {
      throw new BenchError(
        `cc cannot build ${name}.c (apt-get install gcc libc6-dev): ${error.stderr || error.message}`,
      )
    })
  }
  await buildBundles()
}

export async function buildBundles(): Promise<void> {
  mkdirSync(workplace, { recursive: true })
  const bundles = [join(repository, 'scripts/package.ts'), '--bundles', '--directory', bundleDirectory]
  await run(node, bundles).catch((error: Error & { stderr?: string }) => {
    throw new BenchError(`cannot build the bundle of the edge: ${error.stderr || error.message}`)
  })
}

/** Counters of the stub server since its start. */
export interface StubCounts {
  accepted: number
  open: number
  logins: number
  commands: number
  errors: number
}

export interface Stub extends BenchChild {
  port: number
  counts(): Promise<StubCounts>
}

export async function startStub(): Promise<Stub> {
  const port = await freePort()
  const child = await startServer(join(workplace, 'stub'), [String(port)], port)
  const lines = createInterface({ input: child.process.stdout! })[Symbol.asyncIterator]()
  return {
    ...child,
    port,
    async counts() {
      child.process.kill('SIGUSR1')
      const line = await lines.next()
      if (line.done) throw new BenchError(`the stub server has ended: ${child.complaints()}`)
      return JSON.parse(line.value) as StubCounts
    },
  }
}

/** A relay to a server on this machine that delays each byte by `delayMs` in each direction. */
export async function startRelay(
  onwardPort: number,
  delayMs: number,
): Promise<BenchChild & { port: number }> {
  const port = await freePort()
  const args = [port, onwardPort, delayMs].map(String)
  return { ...(await startServer(join(workplace, 'relay'), args, port)), port }
}

export interface Percentiles {
  p50: number
  p90: number
  p99: number
  max: number
}

/** Results of the load generator. All times are in nanoseconds. */
export interface LoadResult {
  sessions: number
  /** Sessions that ended within the given time. Later ones are not counted. */
  inTime: number
  failures: number
  /** Sessions given up after 5 s without an answer. */
  stalled: number
  reused: number
  elapsed: number
  session: Percentiles
  login: Percentiles
  /** CPU time of the generator and of each watched process. */
  cpu: { own: number; watched: number[] }
}

export interface LoadOrder {
  port: number
  atOnce: number
  users: number
  script: string
  length: { seconds: number } | { sessions: number }
  watch: number[]
}

export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const [unit, amount] = Object.entries(order.length)[0] as [string, number]
  const args = [
    '--port',
    order.port,
    '--at-once',
    order.atOnce,
    '--users',
    order.users,
    '--script',
    order.script,
  ]
  const child = await startProgram(join(workplace, 'load'), [
    ...[...args, `--${unit}`, amount].map(String),
    ...(order.watch.length > 0 ? ['--watch', order.watch.join(',')] : []),
  ])
  let stdout = ''
  child.process.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  await new Promise((resolve) => child.process.once('close', resolve))
  if (!stdout) throw new BenchError(`the load generator gave up: ${child.complaints()}`)
  if (child.complaints()) console.error(child.complaints())
  return JSON.parse(stdout) as LoadResult
}
