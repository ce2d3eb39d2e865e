/**
 * Measured figures come from a script. docs/benchmarks.md and docs/conformance.md are written by one; another page may
 * hold such a figure only if the list below says what produces it.
 */
import { readFileSync } from 'node:fs'
import { scenarios } from '../../tests/conformance/scenarios/index.ts'
import type { Complaint, DocPage } from '../page.ts'

const conformance = 'docs/conformance.md'
const list = 'scripts/docs/figures.ts'
/** Written by scripts, computed from figures of these pages (sizing), or records of their date. */
const exempt =
  /^docs\/(?:benchmarks|conformance|configuration|simulation|sizing)\.md$|^docs\/adr\/|^CHANGELOG\.md$/

const figure =
  /(?<![\w.-])\d[\d.,]*\s?(?:times (?:as|less|more|faster|slower)|×|%|[kKMG]B(?:\/s)?\b|(?:connections|logins|orders|reports|sessions)\/s|(?:µs|ms)\b|minutes on )/g

/** Figures on other pages, with what produces them. */
const produced: Readonly<Record<string, string>> = {
  'docs/metrics.md: 9 %': 'the width of a bucket in packages/observe/src/histogram.ts, held by its test',
}

export function unproducedFigures(pages: DocPage[]): Complaint[] {
  const found = pages
    .filter(({ file }) => !exempt.test(file))
    .flatMap((page) =>
      proseOf(page).flatMap((line, index) =>
        [...line.matchAll(figure)].map(([text]) => ({ file: page.file, line: index + 1, text })),
      ),
    )
  const keyOf = ({ file, text }: { file: string; text: string }) => `${file}: ${text}`
  const needless = Object.keys(produced).filter((key) => !found.some((each) => keyOf(each) === key))
  return [
    ...found
      .filter((each) => !Object.hasOwn(produced, keyOf(each)))
      .map(({ file, line, text }) => ({
        file,
        line,
        message: `no script produces the figure "${text}"; link to docs/benchmarks.md, or name its source in ${list}`,
      })),
    ...needless.map((key) => ({ file: list, line: 1, message: `"${key}" is gone; remove it from the list` })),
  ]
}

/** Lines of fenced examples are left empty. */
function proseOf(page: DocPage): string[] {
  let isExample = false
  return page.lines.map((line) => {
    if (line.trimStart().startsWith('```')) isExample = !isExample
    return isExample ? '' : line
  })
}

/** The page of conformance lists the scenarios that there are, in the same words, and counts its own rows. */
export function conformanceDrift(): Complaint[] {
  const text = readFileSync(conformance, 'utf8')
  const again = 'run npm run conformance -- --write'
  const rows = [...text.matchAll(/^\| ([\w-]+) \| (.*) \| (\S+) \| (\S+) \| (\S+) \|$/gm)].filter(
    ([, name]) => name !== 'scenario' && name !== '---',
  )
  const written = new Map(rows.map(([, name = '', guarantee = '']) => [name, guarantee]))
  const known = new Map(scenarios.map(({ name, guarantee }) => [name, guarantee.replaceAll('|', '\\|')]))
  const counts = [...text.matchAll(/^- .*: (\d+) of (\d+) scenarios pass$/gm)].map(
    ([, passed, all]) => `${passed} of ${all}`,
  )
  const tallies = [3, 4, 5].map((column) => {
    const cells = rows.map((row) => row[column]).filter((cell) => cell !== '–')
    return `${cells.filter((cell) => cell === 'pass').length} of ${cells.length}`
  })
  return [
    ...[...known]
      .filter(([name, guarantee]) => written.get(name) !== guarantee)
      .map(([name]) => `has no row for the scenario ${name} as it is now; ${again}`),
    ...[...written.keys()]
      .filter((name) => !known.has(name))
      .map((name) => `has a row for ${name}, which is no scenario; ${again}`),
    ...(counts.join() === tallies.join()
      ? []
      : [`counts ${counts.join(', ')}, but its rows say ${tallies.join(', ')}; ${again}`]),
  ].map((message) => ({ file: conformance, line: 1, message }))
}
