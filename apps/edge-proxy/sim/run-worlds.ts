/** Runs worlds in separate processes, and looks for the smallest world that still fails. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { planOf, type Reduction } from './plan.ts'
import type { ReportedWorld, WorldsOrder } from './worlds.ts'

/** After this time without output, a world is in an endless loop, also on a very busy machine. */
const silenceMs = 600_000
const seedsPerProcess = 200
const attemptsMax = 150

export interface RunOptions {
  /** The first seed. The others follow it. */
  seed: number
  /** Maximum number of worlds. */
  worlds?: number
  /** No world begins after this time. */
  ms: number
  /** The reduction of each world. */
  reduction?: Reduction
  /** The folder with the simulation; undefined: this one. */
  folder?: string
  onWorld?: (world: ReportedWorld) => void
}

/** Runs worlds until one has findings. Undefined: none has. */
export async function runWorlds(options: RunOptions): Promise<ReportedWorld | undefined> {
  const { worlds = Infinity, ms, folder, onWorld, reduction = {} } = options
  const endsAt = performance.now() + ms
  let seed = options.seed
  while (seed < options.seed + worlds && performance.now() < endsAt) {
    const count = Math.min(seedsPerProcess, options.seed + worlds - seed)
    const seeds = Array.from({ length: count }, (_, index) => seed + index)
    const found = await runProcess({ seeds, reduction }, { endsAt, folder, onWorld })
    if (found) return found
    seed += count
  }
  return undefined
}

/** Runs one world. */
export async function runOne(
  seed: number,
  reduction: Reduction,
  { events }: Pick<WorldsOrder, 'events'> = {},
): Promise<ReportedWorld> {
  let last: ReportedWorld | undefined
  await runProcess(
    { seeds: [seed], reduction, ...(events !== undefined && { events }) },
    { endsAt: Infinity, folder: undefined, onWorld: (world) => (last = world) },
  )
  return last!
}

interface ProcessOptions {
  endsAt: number
  folder: string | undefined
  onWorld: ((world: ReportedWorld) => void) | undefined
}

/** The first world with findings. A process that crashes or hangs is a finding of its current world. */
function runProcess(
  order: WorldsOrder,
  { endsAt, folder, onWorld }: ProcessOptions,
): Promise<ReportedWorld | undefined> {
  const script =
    folder === undefined ? fileURLToPath(new URL('worlds.ts', import.meta.url)) : `${folder}/worlds.ts`
  const child = spawn(process.execPath, [script, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let done = 0
  let found: ReportedWorld | undefined
  let rest = ''
  let errors = ''
  let isEnded = false
  const failed = (text: string) => {
    const seed = order.seeds[done] ?? order.seeds[0]!
    found ??= { seed, findings: [text], hash: '', events: 0, counts: noCounts, lastEvents: [] }
    if (found.hash === '') onWorld?.(found)
  }
  const onSilence = () => {
    failed('the world does not end')
    child.kill('SIGKILL')
  }
  let silence = setTimeout(onSilence, silenceMs)
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)))
  child.stdout.on('data', (chunk: Buffer) => {
    clearTimeout(silence)
    silence = setTimeout(onSilence, silenceMs)
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const world = JSON.parse(line) as ReportedWorld
      done++
      if (world.findings.length > 0) found ??= world
      onWorld?.(world)
      if (performance.now() < endsAt || found) continue
      isEnded = true
      child.kill('SIGKILL')
    }
  })
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearTimeout(silence)
      if (!isEnded && !found && (status !== 0 || done < order.seeds.length))
        failed(`the process died: ${errors}`)
      resolve(found)
    })
  })
}

const noCounts = {
  ...{ logins: 0, warm: 0, commands: 0, replies: 0, hereAnswered: 0, claimed: 0, wider: 0 },
  behindBarriers: 0,
  leftAhead: 0,
}

/**
 * The smallest part of a world that still has findings, without irrelevant clients and faults.
 * @param whole the changes of its plan
 */
export async function shrink(
  seed: number,
  whole: Reduction,
  onStep: (reduction: Reduction) => void,
): Promise<Reduction> {
  const plan = planOf(seed, whole)
  let attempts = 0
  let best: Reduction = {
    ...whole,
    clients: plan.clients.map(({ number }) => number),
    faults: plan.faults.map(({ index }) => index),
  }
  const attempt = async (reduction: Reduction): Promise<boolean> => {
    if (++attempts > attemptsMax) return false
    const { findings } = await runOne(seed, reduction)
    if (findings.length === 0) return false
    best = reduction
    onStep(reduction)
    return true
  }
  for (const part of ['faults', 'clients', 'faults'] as const)
    for (let size = Math.ceil(best[part]!.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
      for (let at = 0; at < best[part]!.length;) {
        const left = best[part]!.filter((_, index) => index < at || index >= at + size)
        if (!(await attempt({ ...best, [part]: left }))) at += size
      }
  for (const steps of [0, 1, 2, 3]) if (await attempt({ ...best, steps })) break
  return best
}
