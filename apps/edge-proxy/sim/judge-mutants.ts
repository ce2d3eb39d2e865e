/**
 * How good are the tests? Plants each fault of mutants.ts in a copy of the edge, and counts how many the unit tests find and how many
 * the simulation finds. Results are kept in .run/mutants, so that a run can be continued. They are written to docs/simulation.md.
 */
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mutants, type Mutant } from './mutants.ts'
import { sharesOf, writeTable, type Judgement } from './mutants-page.ts'
import { runWorlds } from './run-worlds.ts'

export interface JudgeOptions {
  print: (text: string) => void
  /** Part of a file or a guarantee: only these mutants. */
  only: string | undefined
  /** How many worlds the simulation may need for each fault. */
  worlds: number
  /** Which half is judged. */
  half: 'simulation' | 'units' | undefined
  /** Judges again what was not found before. */
  isAgain: boolean
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = join(root, '.run/mutants')
const resultsFile = join(folder, 'results.json')
const unitTimeoutMs = 300_000

type Results = Record<string, Judgement>

export async function judgeMutants(options: JudgeOptions): Promise<number> {
  const { print, only = '', half, isAgain } = options
  mkdirSync(folder, { recursive: true })
  const results = readResults()
  const chosen = mutants.filter(({ file, breaks }) => `${file} ${breaks}`.includes(only))
  const copy = copyEdge()
  const passing = new Map<string, boolean>()
  for (const mutant of chosen) {
    const key = keyOf(mutant)
    const judgement = results[key] ?? {}
    if (isAgain) {
      if (judgement.simulation === false) delete judgement.simulation
      if (judgement.units === false) delete judgement.units
    }
    if (half !== 'simulation' && !(await passes(copy, dirname(mutant.file), passing))) {
      print(`the unit tests of ${dirname(mutant.file)} fail without a planted fault`)
      return 1
    }
    await withMutant(copy, mutant, async () => {
      if (half !== 'units') judgement.simulation ??= await simulate(copy, options)
      if (half !== 'simulation') judgement.units ??= await unitTestsFail(copy, mutant)
    })
    results[key] = judgement
    writeFileSync(resultsFile, JSON.stringify(results, undefined, 1))
    const units = judgement.units === undefined ? '' : judgement.units ? 'units, ' : 'not the units, '
    const simulation = judgement.simulation === undefined ? '' : judgement.simulation || 'not the simulation'
    print(`${units}${simulation} <- ${mutant.breaks} (${mutant.file})`)
  }
  const judged = chosen.map((mutant) => ({ ...mutant, ...results[keyOf(mutant)] }))
  for (const line of sharesOf(judged)) print(line)
  if (only === '') print(tabulateMutants())
  return 0
}

/** Writes the results that there are to docs/simulation.md. */
export function tabulateMutants(): string {
  const results = readResults()
  const judged = mutants.map((mutant) => ({ ...mutant, ...results[keyOf(mutant)] }))
  writeTable(join(root, 'docs/simulation.md'), judged)
  return 'written to docs/simulation.md'
}

const keyOf = ({ file, find, replace }: Mutant): string => JSON.stringify([file, find, replace])

function readResults(): Results {
  return existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as Results) : {}
}

/** A copy of what the tests of the edge need. The packages are those of this tree. */
function copyEdge(): string {
  const copy = join(folder, 'copy')
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

async function simulate(copy: string, { worlds }: JudgeOptions): Promise<string | false> {
  const order = { seed: 1, worlds, ms: Infinity, folder: join(copy, 'apps/edge-proxy/sim') }
  const found = await runWorlds(order)
  return found === undefined ? false : `${found.seed}: ${found.findings[0]!.split('\n')[0]!.slice(0, 120)}`
}

/** Whether the tests of a folder pass as they are. */
async function passes(copy: string, part: string, known: Map<string, boolean>): Promise<boolean> {
  if (!known.has(part)) known.set(part, !(await testsFail(copy, testsOf(copy, part))))
  return known.get(part)!
}

const testsOf = (copy: string, part: string): string[] =>
  globSync(`apps/edge-proxy/src/${part}/*.test.ts`, { cwd: copy }).sort()

/** The tests of the mutated file first, because they mostly find it; then those of its folder. */
async function unitTestsFail(copy: string, { file }: Mutant): Promise<boolean> {
  const all = testsOf(copy, dirname(file))
  const name = basename(file, '.ts')
  const own = all.filter(
    (test) => basename(test).startsWith(`${name}.`) || basename(test).startsWith(`${name}-`),
  )
  const others = all.filter((test) => !own.includes(test))
  return (await testsFail(copy, own)) || testsFail(copy, others)
}

async function testsFail(copy: string, files: readonly string[]): Promise<boolean> {
  if (files.length === 0) return false
  const child = spawn(process.execPath, ['scripts/run-tests.ts', ...files], { cwd: copy, stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGTERM'), unitTimeoutMs)
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve(status !== 0)
    })
  })
}
