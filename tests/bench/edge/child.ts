/** Starts and stops one process of the benchmark. It is ready when its port accepts a connection. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { env } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { BenchError } from '../problem.ts'

const startTimeoutMs = 20_000
const stopTimeoutMs = 15_000

export interface BenchChild {
  pid: number
  process: ChildProcess
  /** The last lines of stderr. */
  complaints(): string
  /** Sends SIGTERM, after a while SIGKILL, and resolves when the process has ended. */
  stop(): Promise<void>
}

const living = new Set<BenchChild>()

/** Starts a program and waits until its port accepts a connection. */
export async function startServer(
  command: string,
  args: string[],
  port: number,
  environment: Record<string, string> = {},
): Promise<BenchChild> {
  const child = await startProgram(command, args, environment)
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

/** @param environment more variables than those of this process */
export async function startProgram(
  command: string,
  args: string[],
  environment: Record<string, string> = {},
): Promise<BenchChild> {
  const process = spawn(command, args, {
    env: { ...env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  process.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2000)))
  const ended = new Promise<void>((resolve) => process.once('close', () => resolve()))
  try {
    await once(process, 'spawn')
  } catch (error) {
    throw new BenchError(`cannot start ${command}: ${(error as Error).message}`)
  }
  const child: BenchChild = {
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

/** Stops all processes that still run, after a failure or an interruption. */
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
