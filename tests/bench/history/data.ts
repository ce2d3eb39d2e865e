/**
 * The data of the benchmark is kept in `.run/bench-history` of the clone, a directory for each size of fleet. It is filled in a
 * temporary directory beside it and moved there when it is complete. A stamp tells whether it fits this checkout.
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { keepTemporaryDirectory, repository, runDirectory, temporaryDirectory } from '@imapfleet/local'
import { z } from 'zod'
import { startPlane, type BenchPlane } from '../fleet/plane.ts'
import { fill } from './fill.ts'
import type { HistoryBenchOptions } from './options.ts'
import { spanText } from './progress.ts'

const historyHome = `${runDirectory}/bench-history`

const stampSchema = z.object({
  /** Of everything that decides what the tables hold. */
  fingerprint: z.string(),
  /** Start of the hour that was reported. Milliseconds since 1970. */
  from: z.int(),
  filledInMs: z.number(),
})
type Stamp = z.infer<typeof stampSchema>

export interface HistoryData {
  directory: string
  from: number
}

/** Without retention, control would drop what was filled some days ago. */
export const keepForever = { REPORTS_KEPT_DAYS: '366', MINUTES_KEPT_DAYS: '3660', HOURS_KEPT_DAYS: '36600' }

/** @param onPlane gets the parts that fill the data, so that an interruption can stop them */
export async function historyData(
  options: HistoryBenchOptions,
  onPlane: (plane: BenchPlane) => void,
): Promise<HistoryData> {
  const { edges, days, fresh } = options
  const directory = `${historyHome}/${edges}-edges-${days}-days`
  const stamp = readStamp(directory)
  const isCurrent = stamp?.fingerprint === fingerprint()
  if (stamp && isCurrent && !fresh) {
    const age = new Date(stamp.from).toISOString().slice(0, 10)
    console.log(
      `data of ${age} in ${directory}; --fresh fills it again in about ${spanText(stamp.filledInMs)}`,
    )
    return { directory, from: stamp.from }
  }
  if (stamp)
    console.log(
      `${isCurrent ? '--fresh' : 'the data is of another version'}: it is filled again, ` +
        `which took ${spanText(stamp.filledInMs)} the last time`,
    )
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(historyHome, { recursive: true })
  const filling = temporaryDirectory('history', historyHome)
  const startedAt = performance.now()
  const from = await fillIn(filling, options, onPlane)
  const filled: Stamp = { fingerprint: fingerprint(), from, filledInMs: performance.now() - startedAt }
  writeFileSync(stampFile(filling), JSON.stringify(filled))
  renameSync(filling, directory)
  keepTemporaryDirectory(filling)
  console.log(`filled in ${spanText(filled.filledInMs)}; the next run uses it again from ${directory}`)
  return { directory, from }
}

async function fillIn(
  directory: string,
  options: HistoryBenchOptions,
  onPlane: (plane: BenchPlane) => void,
): Promise<number> {
  const plane = await startPlane({ directory, environment: keepForever })
  onPlane(plane)
  try {
    const { from } = await fill(plane, options)
    return from
  } finally {
    await plane.stop()
  }
}

function readStamp(directory: string): Stamp | undefined {
  try {
    return stampSchema.parse(JSON.parse(readFileSync(stampFile(directory), 'utf8')))
  } catch {
    return undefined
  }
}

const stampFile = (directory: string) => `${directory}/stamp.json`

function fingerprint(): string {
  const files = [
    'apps/control/drizzle/**/*.sql',
    'tests/bench/history/fill.ts',
    'tests/bench/fleet/herd/figures.ts',
  ]
  const hash = createHash('sha256')
  for (const file of globSync(files, { cwd: repository }).sort())
    hash.update(`${file}\0`).update(readFileSync(`${repository}/${file}`))
  return hash.digest('hex')
}
