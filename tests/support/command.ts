/** Runs a program as a shell would, and keeps its output. */
import { spawn, type ChildProcess } from 'node:child_process'
import { repository } from '@imapfleet/local'
import { environmentOf } from './environment.ts'

export interface Said {
  status: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string | undefined> | undefined
  cwd?: string
  /** In its own process group, as in a shell. */
  ownGroup?: boolean
}

/** A running program: its output so far, and its end. */
export interface Running {
  child: ChildProcess
  stdout(): string
  stderr(): string
  ended: Promise<Said>
}

const patienceMs = 60_000

export function startCommand(
  command: string,
  args: string[],
  { env, cwd = repository, ownGroup = false }: RunOptions = {},
): Running {
  const child = spawn(command, args, {
    cwd,
    env: environmentOf(env),
    detached: ownGroup,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString('utf8')))
  const { promise, resolve, reject } = Promise.withResolvers<Said>()
  child.on('error', reject)
  child.on('close', (status) => resolve({ status, ...said }))
  return { child, stdout: () => said.stdout, stderr: () => said.stderr, ended: promise }
}

/** A program that hangs is killed; its status is then null. */
export async function runCommand(command: string, args: string[], options?: RunOptions): Promise<Said> {
  const { child, ended } = startCommand(command, args, options)
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  return ended.finally(() => clearTimeout(late))
}
