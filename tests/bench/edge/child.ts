/** The life of one process that the benchmark starts: up when its port answers, down by its own pid. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { BenchError } from '../problem.ts'

const startTimeoutMs = 20_000
const stopTimeoutMs = 15_000

export interface Child {
  pid: number
  process: ChildProcess
  /** The last lines of stderr. */
  complaints(): string
  /** Asks the process to stop, insists after a while, and comes back when it has ended. */
  stop(): Promise<void>
}

const living = new Set<Child>()

/** Starts a program and waits until its port accepts a connection. */
export async function startServer(command: string, args: string[], port: number): Promise<Child> {
  const child = await startProgram(command, args)
  const deadline = Date.now() + startTimeoutMs
  while (!(await accepts(port))) {
    const ended = child.process.exitCode ?? child.process.signalCode
    if (ended === null && Date.now() < deadline) {
      await pause(20)
      continue
    }
    await child.stop()
    const how = ended === null ? `did not listen within ${startTimeoutMs / 1000} s` : `ended with ${ended}`
    throw new BenchError(`${command} ${how}: ${child.complaints() || 'it said nothing on stderr'}`)
  }
  return child
}

export async function startProgram(command: string, args: string[]): Promise<Child> {
  const process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  process.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2000)))
  const ended = new Promise<void>((resolve) => process.once('close', () => resolve()))
  try {
    await once(process, 'spawn')
  } catch (error) {
    throw new BenchError(`cannot start ${command}: ${(error as Error).message}`)
  }
  const child: Child = {
    pid: process.pid ?? 0,
    process,
    complaints: () => stderr.trim(),
    async stop() {
      process.kill('SIGTERM')
      const insist = setTimeout(() => process.kill('SIGKILL'), stopTimeoutMs)
      await ended
      clearTimeout(insist)
    },
  }
  living.add(child)
  process.once('close', () => living.delete(child))
  return child
}

/** Ends whatever still runs; for the way out after a failure or a Ctrl-C. */
export async function stopAll(): Promise<void> {
  await Promise.all([...living].map((child) => child.stop()))
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

let lastPort = 24_999

/** A port nobody listens on, below the range from which the kernel takes the ports of outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    lastPort = lastPort >= 25_999 ? 25_000 : lastPort + 1
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(lastPort, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return lastPort
  }
}
