/**
 * How good are the tests? Plants each fault of mutants.ts in a copy of the edge, and counts how many the unit tests find and how many
 * the simulation finds. Each result is written to the table in docs/simulation.md at once, so that a run can be continued.
 */
import { spawn } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mutants, type Mutant } from './mutants.ts'
import { keyOf, resultsIn, sharesOf, withResults, type Judgement } from './mutants-page.ts'
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
const page = join(root, 'docs/simulation.md')
const unitTimeoutMs = 300_000

export async function judgeMutants(options: JudgeOptions): Promise<number> {
  const { print, only = '', half, isAgain } = options
  const results = resultsIn(readFileSync(page, 'utf8'))
  const judged = () => mutants.map((mutant) => ({ ...mutant, ...results.get(keyOf(mutant)) }))
  const isChosen = ({ file, breaks }: Mutant) => `${file} ${breaks}`.includes(only)
  const copy = copyEdge()
  const knownFailures = new Map<string, string>()
  for (const mutant of mutants.filter(isChosen)) {
    const judgement = { ...results.get(keyOf(mutant)) }
    if (isAgain) {
      if (half !== 'units' && judgement.simulation === false) delete judgement.simulation
      if (half !== 'simulation' && judgement.units === false) delete judgement.units
    }
    if (half !== 'units')
      judgement.simulation ??= await withMutant(copy, mutant, () => simulate(copy, options))
    if (half !== 'simulation' && judgement.units === undefined) {
      for (const part of foldersThatUse(copy, mutant.file)) {
        const failure = knownFailures.get(part) ?? (await failureOf(copy, testsOf(copy, part)))
        knownFailures.set(part, failure)
        if (failure === '') continue
        print(`the unit tests of ${part} fail without a planted fault:\n${failure}`)
        return 1
      }
      judgement.units = await withMutant(copy, mutant, () => unitTestsFail(copy, mutant))
    }
    results.set(keyOf(mutant), judgement)
    writeFileSync(page, withResults(readFileSync(page, 'utf8'), judged()))
    print(`${wordsOf(judgement)} <- ${mutant.breaks} (${mutant.file})`)
  }
  for (const line of sharesOf(judged().filter(isChosen))) print(line)
  return 0
}

function wordsOf({ units, simulation }: Judgement): string {
  const found = [
    units === undefined ? [] : units ? 'units' : 'not the units',
    simulation === undefined ? [] : simulation === false ? 'not the simulation' : `seed ${simulation}`,
  ]
  return found.flat().join(', ')
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

async function withMutant<T>(
  copy: string,
  { file, find, replace }: Mutant,
  judge: () => Promise<T>,
): Promise<T> {
  const path = join(copy, 'apps/edge-proxy/src', file)
  const original = readFileSync(path, 'utf8')
  const parts = original.split(find)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times ${JSON.stringify(find)}`)
  writeFileSync(path, parts.join(replace))
  try {
    return await judge()
  } finally {
    writeFileSync(path, original)
  }
}

async function simulate(copy: string, { worlds }: JudgeOptions): Promise<number | false> {
  const order = { seed: 1, worlds, ms: Infinity, folder: join(copy, 'apps/edge-proxy/sim') }
  return (await runWorlds(order))?.seed ?? false
}

const testsOf = (copy: string, part: string): string[] =>
  globSync(`apps/edge-proxy/src/${part}/*.test.ts`, { cwd: copy }).sort()

/** The folder of the file, and those whose files import it, or import a file of its folder that does. */
function foldersThatUse(copy: string, file: string): Set<string> {
  const sources = join(copy, 'apps/edge-proxy/src')
  const folders = new Set([dirname(file)])
  const users = new Set([file])
  const others = globSync('*/*.ts', { cwd: sources }).filter((each) => !/\.test(-support)?\.ts$/.test(each))
  for (const used of users)
    for (const other of others) {
      if (users.has(other) || !importsOf(sources, other).has(used)) continue
      folders.add(dirname(other))
      if (dirname(other) === dirname(file)) users.add(other)
    }
  return folders
}

function importsOf(sources: string, file: string): Set<string> {
  const text = readFileSync(join(sources, file), 'utf8')
  const paths = text.matchAll(/ from '(\.[^']+)'/g)
  return new Set([...paths].map(([, path]) => posix.join(dirname(file), path!)))
}

/** The tests of the mutated file first, because they mostly find it; then those of its folder, and of folders that use it. */
async function unitTestsFail(copy: string, { file }: Mutant): Promise<boolean> {
  const name = basename(file, '.ts')
  const isOwn = (test: string) =>
    basename(test).startsWith(`${name}.`) || basename(test).startsWith(`${name}-`)
  const inFolder = testsOf(copy, dirname(file))
  const own = inFolder.filter(isOwn)
  const others = inFolder.filter((test) => !own.includes(test))
  const users = [...foldersThatUse(copy, file)].filter((part) => part !== dirname(file))
  for (const tests of [own, others, ...users.map((part) => testsOf(copy, part))])
    if ((await failureOf(copy, tests)) !== '') return true
  return false
}

/** What the tests print if one fails; empty if all pass. */
async function failureOf(copy: string, files: readonly string[]): Promise<string> {
  if (files.length === 0) return ''
  const child = spawn(process.execPath, ['scripts/run-tests.ts', ...files], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const timer = setTimeout(() => child.kill('SIGTERM'), unitTimeoutMs)
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve(status === 0 ? '' : output || `exit status ${status}`)
    })
  })
}
