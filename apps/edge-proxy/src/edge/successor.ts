/**
 * Starts the installed program as a new process of this edge, with the listening sockets of this one, and waits until it serves
 * clients. The program may be a newer version, so the only protocol between the two processes is `handoverWords`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { inheritanceOf, type ListeningSocket } from '../net/inherited-sockets.ts'
import { runtime } from '../runtime.ts'

/** Messages between the two processes over Node's IPC channel. */
export const handoverWords = {
  /** From the new process: it serves clients. */
  ready: 'imapfleet-edge serves',
  /** From the old process: the new one may use the state directory and join the fleet. */
  yours: 'imapfleet-edge yours',
} as const

export interface Successor {
  kind: 'ready'
  pid: number
  /** Call when the old process no longer uses the state directory and the fleet. */
  release: () => void
  /** Ends the new process, because the old one continues. */
  dismiss: () => void
}

type NoSuccessor = { kind: 'failed'; reason: string }

const readyWithinMs = 60_000
/** The first file after stdin, stdout, stderr and the channel. */
const firstFile = 4

/** @param signal ends the attempt */
export async function startSuccessor(
  sockets: readonly ListeningSocket[],
  signal: AbortSignal,
): Promise<Successor | NoSuccessor> {
  const inherited = sockets.map((socket, index) => ({ ...socket, file: firstFile + index }))
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets.map(({ file }) => file)],
    env: { ...process.env, ...inheritanceOf(inherited) },
  })
  const failure = await failureOf(child, signal)
  const dismiss = () => void child.kill('SIGTERM')
  if (failure !== undefined || child.pid === undefined) {
    dismiss()
    leave(child)
    return { kind: 'failed', reason: failure ?? 'it has no process' }
  }
  const release = () => child.send(handoverWords.yours, () => leave(child))
  return { kind: 'ready', pid: child.pid, release, dismiss }
}

/** Why the new process failed. Undefined: it serves clients. */
async function failureOf(child: ChildProcess, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (status, by) =>
    resolve(`it ended with ${by ?? `status ${status}`}; its lines are in this log`),
  )
  child.on('message', (word) => {
    if (word === handoverWords.ready) resolve(undefined)
  })
  const timer = runtime.after(readyWithinMs, () =>
    resolve(`it did not serve within ${readyWithinMs / 1000} s`),
  )
  const onAbort = () => resolve('this process was told to stop')
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    return await promise
  } finally {
    runtime.cancel(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** This process no longer waits for the other one. */
function leave(child: ChildProcess): void {
  if (child.connected) child.disconnect()
  child.unref()
}
