/**
 * How good are the tests? Plants each fault of mutants.ts in a copy of the edge, and counts how many the unit tests find and how many
 * the simulation finds. Results are kept in .run/mutants, so that a run can be continued.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mutants, type Mutant } from './mutants.ts'
import { runWorlds } from './run-worlds.ts'

interface Judgement {
  /** The first finding of the simulation; false: nothing was found. */
  simulation?: string | false
  /** Whether a unit test fails. */
  units?: boolean
}

interface JudgeOptions {
  print: (text: string) => void
  /** Part of a file or a guarantee: only these mutants. */
  only: string | undefined
  /** How long the simulation looks for each fault. */
  simulationMs: number
  /** Without the unit tests. */
  isSimulationOnly: boolean
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = join(root, '.run/mutants')
const resultsFile = join(folder, 'results.json')
const workers = 3
const unitTimeoutMs = 300_000

export async function judgeMutants(options: JudgeOptions): Promise<number> {
  const { print, only = '', isSimulationOnly } = options
  mkdirSync(folder, { recursive: true })
  const results = readResults()
  const chosen = mutants.filter(({ file, breaks }) => `${file} ${breaks}`.includes(only))
  const waiting = chosen.values()
  const work = async (_: unknown, index: number) => {
    const copy = copyEdge(index)
    for (const mutant of waiting) {
      const key = keyOf(mutant)
      const judgement = only === '' ? (results[key] ?? {}) : {}
      await withMutant(copy, mutant, async () => {
        judgement.simulation ??= await simulate(copy, options.simulationMs)
        if (!isSimulationOnly) judgement.units ??= await unitTestsFail(copy, mutant)
      })
      results[key] = judgement
      writeFileSync(resultsFile, JSON.stringify(results, undefined, 1))
      const units = judgement.units === undefined ? '' : judgement.units ? 'units, ' : 'not the units, '
      print(`${units}${judgement.simulation || 'not the simulation'} <- ${mutant.breaks} (${mutant.file})`)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  print(summaryOf(chosen, results))
  return 0
}

const keyOf = ({ file, find, replace }: Mutant): string => JSON.stringify([file, find, replace])

function readResults(): Record<string, Judgement> {
  return existsSync(resultsFile)
    ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as Record<string, Judgement>)
    : {}
}

function summaryOf(chosen: readonly Mutant[], results: Readonly<Record<string, Judgement>>): string {
  const judged = chosen.map((mutant) => results[keyOf(mutant)] ?? {})
  const share = (kills: (judgement: Judgement) => boolean) => {
    const count = judged.filter(kills).length
    return `${count} of ${judged.length} (${Math.round((count / judged.length) * 100)} %)`
  }
  return [
    `the simulation finds ${share(({ simulation }) => Boolean(simulation))}`,
    `the unit tests find ${share(({ units }) => units === true)}`,
    `either finds ${share(({ simulation, units }) => Boolean(simulation) || units === true)}`,
  ].join('\n')
}

/** A copy of what the tests of the edge need. The packages are those of this tree. */
function copyEdge(index: number): string {
  const copy = join(folder, `copy-${index}`)
  rmSync(copy, { recursive: true, force: true })
  for (const part of ['apps/edge-proxy', 'scripts'])
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (from) => !from.includes('node_modules'),
    })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

async function withMutant(
  copy: string,
  { file, find, replace }: Mutant,
  judge: () => Promise<void>,
): Promise<void> {
  const path = join(copy, 'apps/edge-proxy/src', file)
  const original = readFileSync(path, 'utf8')
  const parts = original.split(find)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times ${JSON.stringify(find)}`)
  writeFileSync(path, parts.join(replace))
  try {
    await judge()
  } finally {
    writeFileSync(path, original)
  }
}

async function simulate(copy: string, ms: number): Promise<string | false> {
  const found = await runWorlds({ seed: 1, ms, folder: join(copy, 'apps/edge-proxy/sim') })
  return found === undefined ? false : found.findings[0]!.split('\n')[0]!.slice(0, 120)
}

function unitTestsFail(copy: string, { file }: Mutant): Promise<boolean> {
  const part = file.split('/')[0]!
  const patterns = [part, 'edge'].map((name) => `apps/edge-proxy/src/${name}/*.test.ts`)
  const child = spawn(process.execPath, ['scripts/run-tests.ts', ...new Set(patterns)], {
    cwd: copy,
    stdio: 'ignore',
  })
  const timer = setTimeout(() => child.kill('SIGTERM'), unitTimeoutMs)
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve(status !== 0)
    })
  })
}
