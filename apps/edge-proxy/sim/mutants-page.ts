/** The table of planted faults in docs/simulation.md, which is also the record of the results. */
import type { Mutant } from './mutants.ts'

export interface Judgement {
  /** The first seed whose world has a finding; false: none had. */
  simulation?: number | false
  /** Whether a unit test fails. */
  units?: boolean
}

/** Identifies a fault in the table. */
export const keyOf = ({ file, breaks }: Pick<Mutant, 'file' | 'breaks'>): string => `${file} ${breaks}`

const begin = '<!-- mutants: written by `npm run sim -- --mutants` -->'
const end = '<!-- end of mutants -->'

/** Returns the results in the table of the page, by `keyOf`. */
export function resultsIn(page: string): Map<string, Judgement> {
  const rows = page.matchAll(
    /^\| (?<breaks>.+) \| `(?<file>.+)` \| (?<units>found|not found|) \| (?<simulation>seed \d+|not found|) \|$/gm,
  )
  return new Map(
    [...rows].map(({ groups }) => {
      const { breaks = '', file: place = '', units, simulation } = groups!
      const seed = /\d+/.exec(simulation!)?.[0]
      const judgement: Judgement = {
        ...(units !== '' && { units: units === 'found' }),
        ...(simulation !== '' && { simulation: seed === undefined ? false : Number(seed) }),
      }
      return [keyOf({ file: place, breaks }), judgement]
    }),
  )
}

/** The page with a new table between its two comments. */
export function withResults(page: string, judged: readonly (Mutant & Judgement)[]): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error('the page has no place for the planted faults')
  return `${page.slice(0, from)}${begin}\n\n${tableOf(judged)}\n${page.slice(to)}`
}

/** How many faults each half finds, of those that it has judged. */
export function sharesOf(judged: readonly Judgement[]): string[] {
  const share = (
    isJudged: (judgement: Judgement) => boolean,
    isFound: (judgement: Judgement) => boolean,
  ): string => {
    const part = judged.filter(isJudged)
    const found = part.filter(isFound).length
    return `${found} of ${part.length} (${Math.round((found / Math.max(1, part.length)) * 100)} %)`
  }
  const bySimulation = ({ simulation }: Judgement) => typeof simulation === 'number'
  const byUnits = ({ units }: Judgement) => units === true
  const inBoth = ({ simulation, units }: Judgement) => simulation !== undefined && units !== undefined
  return [
    `the simulation finds ${share(({ simulation }) => simulation !== undefined, bySimulation)}`,
    `the unit tests find ${share(({ units }) => units !== undefined, byUnits)}`,
    `either finds ${share(inBoth, (judgement) => bySimulation(judgement) || byUnits(judgement))}`,
  ]
}

function tableOf(judged: readonly (Mutant & Judgement)[]): string {
  return [
    `Of ${judged.length} planted faults, as far as they were judged:`,
    '',
    ...sharesOf(judged).map((line) => `- ${line}`),
    '',
    '<!-- prettier-ignore-start -->',
    '| guarantee | file | unit tests | simulation |',
    '| --- | --- | --- | --- |',
    ...judged.map(
      ({ breaks, file, units, simulation }) =>
        `| ${breaks} | \`${file}\` | ${resultOf(units)} | ${typeof simulation === 'number' ? `seed ${simulation}` : resultOf(simulation)} |`,
    ),
    '<!-- prettier-ignore-end -->',
    '',
  ].join('\n')
}

const resultOf = (isFound: boolean | undefined): string =>
  isFound === undefined ? '' : isFound ? 'found' : 'not found'
