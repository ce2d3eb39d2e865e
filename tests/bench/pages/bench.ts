/** The pages benchmark: plays the sessions near and far, prints the tables and targets, writes the document. */
import { buildPrograms } from '../edge/programs.ts'
import { stopAll } from '../edge/child.ts'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { alignedTable, digits } from '../table.ts'
import { pagesBarsTable } from './bars.ts'
import { browseAllChanging } from './changing.ts'
import { pagesContestants, whyMissing } from './contestants.ts'
import { pagesDocument, type PagesSection } from './document.ts'
import { stopLines } from './line.ts'
import type { PagesBenchOptions } from './options.ts'
import { playAll, type PlayedDistance } from './play.ts'
import { recordSessions } from './record.ts'
import { meanTimes, type DistanceResults } from './results.ts'
import { measureRoundTrip } from './round-trip.ts'
import { findRoundcube } from './roundcube.ts'
import { costTable, learningTable, roundTripsTable } from './tables.ts'

const pauseMs = 150
const unhurried = { pauseMs, firstShorter: 1, firstSessions: 3 }
/** Of sessions without a pause, and with a changing mailbox. */
const hurriedDistance = 20

export async function benchPages(options: PagesBenchOptions): Promise<void> {
  const roundcube = findRoundcube()
  await buildPrograms()
  onInterrupt(async () => {
    await stopLines()
    await stopAll()
  })
  if (options.record) return recordSessions(options.record, options.shorter)
  const machine = describeMachine('apps/edge-proxy', 'packages', 'tests/bench')
  const able = { ...options, contestants: present(options) }
  const sections: PagesSection[] = []
  const show = (section: PagesSection) => {
    sections.push(section)
    console.log(`\n${section.title}\n${section.story}\n\n${section.tables.join('\n\n')}`)
  }
  const measured = able.only.includes('pages') ? await measurePages(able, show) : []
  if (able.only.includes('hurried')) await measureHurried(able, show)
  if (able.only.includes('changing')) await checkChanging(able, show)
  const bars = pagesBarsTable(measured)
  console.log(`\nThe bars\n\n${bars}`)
  const needed = pagesContestants.filter((name) => name !== 'ahead and plugin')
  if (!options.complete || needed.some((name) => !able.contestants.includes(name))) {
    console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench pages')
    return
  }
  const versions: [string, string][] = [['Roundcube', roundcube.version]]
  writePart('pages', pagesDocument(machine, versions, able, bars, sections))
}

async function measurePages(
  options: PagesBenchOptions,
  show: (section: PagesSection) => void,
): Promise<DistanceResults[]> {
  const near = { delayMs: 0, ...unhurried }
  step('near the server')
  const before = await playAll(options, near)
  const far: { delayMs: number; roundTripMs: number; played: PlayedDistance }[] = []
  for (const delayMs of options.distances) {
    step(`server ${delayMs} ms away`)
    const roundTripMs = await measureRoundTrip(delayMs)
    far.push({ delayMs, roundTripMs, played: await playAll(options, { delayMs, ...unhurried }) })
  }
  // The speed of the machine changes during the run.
  step('near the server again')
  const after = await playAll(options, near)
  const close = {
    first: meanTimes(before.first, after.first),
    played: meanTimes(before.played, after.played),
  }
  const all: DistanceResults[] = []
  for (const { delayMs, roundTripMs, played } of far) {
    const results = resultsOf(delayMs, roundTripMs, close, played)
    all.push(results)
    const learning = learningTable(results)
    show({
      title: `Round trips a page, server ${delayMs} ms away`,
      story: `A pause of ${pauseMs} ms before each page. ${told(roundTripMs)}`,
      tables: [...tripTables(results), costTable(results), ...(learning ? [learning] : [])],
    })
  }
  return all
}

const resultsOf = (
  delayMs: number,
  roundTripMs: number,
  close: PlayedDistance,
  far: PlayedDistance,
): DistanceResults => ({ delayMs, roundTripMs, near: close.played, nearFirst: close.first, ...far })

async function measureHurried(
  options: PagesBenchOptions,
  show: (section: PagesSection) => void,
): Promise<void> {
  step('without a pause')
  const order = { pauseMs: 0, firstShorter: 3, firstSessions: 1 }
  const close = await playAll(options, { ...order, delayMs: 0 })
  const delayMs = hurriedDistance
  const roundTripMs = await measureRoundTrip(delayMs)
  const far = await playAll(options, { ...order, delayMs })
  const results = resultsOf(delayMs, roundTripMs, close, far)
  show({
    title: `Pages that follow at once, server ${delayMs} ms away`,
    story: `No pause before a page: the connection of the previous page may still be in use or being reset. ${told(roundTripMs)}`,
    tables: [...tripTables(results), costTable(results)],
  })
}

async function checkChanging(
  options: PagesBenchOptions,
  show: (section: PagesSection) => void,
): Promise<void> {
  step('a mailbox that another client changes')
  const results = await browseAllChanging(options, hurriedDistance)
  show({
    title: 'A mailbox that another client changes',
    story:
      'Meanwhile another client changes flags, and moves, deletes and appends mails, about 30 times a second. Each list, mail and refresh is compared with ' +
      'the states of the mailbox while the page was made, and the final lists with the server. The benchmark ends at the first page that shows anything else.',
    tables: [
      alignedTable(
        ['', 'pages', 'mails in lists'],
        results.map(({ contestant, pages, rows }) => [contestant, String(pages), digits(rows)]),
      ),
    ],
  })
}

const told = (roundTripMs: number) => `A round trip took ${digits(roundTripMs)} ms.`

const tripTables = (results: DistanceResults) => [
  roundTripsTable(results, 'roundTrips'),
  roundTripsTable(results, 'waits'),
]

function present({ contestants }: PagesBenchOptions) {
  return contestants.filter((name) => {
    const missing = whyMissing(name)
    if (missing) console.log(`${name} is left out: ${missing}`)
    return !missing
  })
}

const step = (text: string) => console.log(`${new Date().toTimeString().slice(0, 8)} ${text} ...`)
