/**
 * Children of an earlier start that still run, after a crash or during a stop. Each child has a pid file. A pid
 * counts only together with the start time of its process, because the kernel reuses numbers.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { codeOf, LocalError } from './local-error.ts'
import { groupRuns } from './process-group.ts'
import { writePrivate } from './secret-file.ts'
import { startMark } from './start-mark.ts'

const pidFileSchema = z.object({
  pid: z.int().min(2),
  started: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  /** The other processes of its group belong to it. */
  handsOver: z.boolean().default(false),
})
type StopSignal = z.infer<typeof pidFileSchema>['stopSignal']

export function writePidFile(file: string, pid: number, stopSignal: StopSignal, handsOver = false): void {
  writePrivate(file, JSON.stringify({ pid, started: startMark(pid) ?? '', stopSignal, handsOver }))
}

/** The process of a pid file, or its group, if it is still the same one. */
export function processOf(
  file: string,
): { pid: number; stopSignal: StopSignal; handsOver: boolean } | undefined {
  try {
    const { pid, started, stopSignal, handsOver } = pidFileSchema.parse(
      JSON.parse(readFileSync(file, 'utf8')),
    )
    const mark = startMark(pid)
    const isThere = mark === undefined ? handsOver && isOfThisBoot(file) && groupRuns(pid) : mark === started
    return isThere ? { pid, stopSignal, handsOver } : undefined
  } catch {
    return undefined
  }
}

/** After a restart of the machine, the same number can be that of any group. */
const isOfThisBoot = (file: string): boolean => statSync(file).mtimeMs > Date.now() - uptime() * 1000

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
  const target = leftover && (leftover.handsOver ? -leftover.pid : leftover.pid)
  if (leftover && target !== undefined) signalTo(target, leftover.stopSignal)
  while (processOf(file)) {
    if (target !== undefined && Date.now() > deadline) signalTo(target, 'SIGKILL')
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
      `process ${Math.abs(pid)} of an earlier start belongs to another user: stop it first`,
    )
  }
}
