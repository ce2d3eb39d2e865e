/** A process for a scenario: starts it, keeps its output, and stops it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { environmentOf } from '../support/environment.ts'

export interface ProxyChild {
  readonly pid: number
  /** Everything it wrote to stdout and stderr. */
  log(): string
  /** How it ended; undefined while it runs. */
  ending(): string | undefined
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

export interface ChildOptions {
  cwd?: string
  /** Root starts it as the user nobody. */
  unprivileged?: boolean
}

const nobody = 65_534
export const isRoot = process.getuid?.() === 0

export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): ProxyChild {
  const identity = options.unprivileged && isRoot ? { uid: nobody, gid: nobody } : {}
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentOf(),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...identity,
  })
  return watch(child)
}

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

function watch(child: ChildProcess): ProxyChild {
  alive.add(child)
  const words: Buffer[] = []
  let ending: string | undefined
  child.stdout?.on('data', (chunk: Buffer) => words.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => words.push(chunk))
  child.on('error', (error) => (ending = error.message))
  child.on('exit', (code, signal) => {
    alive.delete(child)
    ending = signal ? `killed by ${signal}` : `exit status ${code}`
  })
  return {
    pid: child.pid ?? 0,
    log: () => Buffer.concat(words).toString('latin1'),
    ending: () => ending,
    signal: (name) => void child.kill(name),
    stop: async () => {
      if (ending !== undefined) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 3000)
      await exited
      clearTimeout(hard)
    },
  }
}

/** Polls for a condition in another process. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await pause(15))
    if (await condition()) return true
  return condition()
}

/** Waits until a process listens. If it does not, it is stopped, and the error has its last output. */
export async function listening(child: ProxyChild, port: number, timeoutMs = 60_000): Promise<void> {
  const accepted = () =>
    new Promise<boolean>((resolve) => {
      const probe = connect(port, '127.0.0.1')
      probe.on('connect', () => resolve(true)).on('error', () => resolve(false))
      probe.on('connect', () => probe.destroy())
    })
  const up = await eventually(async () => child.ending() !== undefined || (await accepted()), timeoutMs)
  if (up && child.ending() === undefined) return
  const why = child.ending() ?? 'timed out'
  await child.stop()
  throw new Error(`port ${port} is not served: ${why}\n${child.log().slice(-2000)}`)
}
