/** The table of planted faults in docs/simulation.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Mutant } from './mutants.ts'

export interface Judgement {
  /** Seed and first finding of the simulation; false: nothing was found. */
  simulation?: string | false
  /** Whether a unit test fails. */
  units?: boolean
}

const begin = '<!-- mutants: written by `npm run sim -- --mutants` -->'
const end = '<!-- end of mutants -->'

/** Replaces what is between the two comments of the page. */
export function writeTable(file: string, judged: readonly (Mutant & Judgement)[]): void {
  const page = readFileSync(file, 'utf8')
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no place for the planted faults`)
  writeFileSync(file, `${page.slice(0, from)}${begin}\n\n${tableOf(judged)}\n${page.slice(to)}`)
}

function tableOf(judged: readonly (Mutant & Judgement)[]): string {
  const share = (kills: (judgement: Judgement) => boolean) => {
    const count = judged.filter(kills).length
    return `${count} of ${judged.length} (${Math.round((count / judged.length) * 100)} %)`
  }
  const bySimulation = ({ simulation }: Judgement) => Boolean(simulation)
  const byUnits = ({ units }: Judgement) => units === true
  return [
    `The simulation finds ${share(bySimulation)}, the unit tests of the changed folder find ${share(byUnits)}, and either of them finds`,
    `${share((judgement) => bySimulation(judgement) || byUnits(judgement))}.`,
    '',
    '<!-- prettier-ignore-start -->',
    '| guarantee | file | unit tests | simulation |',
    '| --- | --- | --- | --- |',
    ...judged.map(
      ({ breaks, file, units, simulation }) =>
        `| ${breaks} | \`${file}\` | ${units ? 'yes' : 'no'} | ${simulation ? `seed ${simulation.split(':')[0]}` : 'no'} |`,
    ),
    '<!-- prettier-ignore-end -->',
    '',
  ].join('\n')
}
