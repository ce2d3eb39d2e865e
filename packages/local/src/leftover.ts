/**
 * Children of an earlier start that still run, after a crash or during a stop. Each child has a pid file. A pid
 * counts only together with the start time of its process, because the kernel reuses numbers.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { codeOf, LocalError } from './local-error.ts'
import { writePrivate } from './secret-file.ts'
import { startMark } from './start-mark.ts'

const pidFileSchema = z.object({
  pid: z.int().min(2),
  started: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
})
type StopSignal = z.infer<typeof pidFileSchema>['stopSignal']

export function writePidFile(file: string, pid: number, stopSignal: StopSignal): void {
  writePrivate(file, JSON.stringify({ pid, started: startMark(pid) ?? '', stopSignal }))
}

/** The process of a pid file, if it is still the same one. */
export function processOf(file: string): { pid: number; stopSignal: StopSignal } | undefined {
  try {
    const { pid, started, stopSignal } = pidFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return startMark(pid) === started ? { pid, stopSignal } : undefined
  } catch {
    return undefined
  }
}

/** Ends the processes of the pid files in this directory, first by their stop signal. */
export async function stopLeftovers(directory: string, graceMs = 10_000): Promise<void> {
  if (!existsSync(directory)) return
  await Promise.all(
    readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => stopLeftover(join(directory, name), graceMs)),
  )
}

async function stopLeftover(file: string, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs
  const leftover = processOf(file)
  if (leftover) signalTo(leftover.pid, leftover.stopSignal)
  while (processOf(file)) {
    if (leftover && Date.now() > deadline) signalTo(leftover.pid, 'SIGKILL')
    await sleep(20)
  }
  rmSync(file, { force: true })
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return
    throw new LocalError(
      'no_access',
      `process ${pid} of an earlier start belongs to another user: stop it first`,
    )
  }
}
