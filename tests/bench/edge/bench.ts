/** The edge benchmark: finds the contestants, measures every scenario, prints the tables and targets, writes the document. */
import { barsTable, type EdgeResults } from './bars.ts'
import { stopAll } from './child.ts'
import type { Contestant } from './contestants/contestant.ts'
import { findContestant } from './contestants/find.ts'
import { edgeDocument, type Section } from './document.ts'
import { measureIdle, type IdleSamples } from './idle.ts'
import { measureStarts, type StartSamples } from './start.ts'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { measure } from './measure.ts'
import { writePart } from '../page.ts'
import type { EdgeBenchOptions } from './options.ts'
import { buildPrograms } from './programs.ts'
import { benchScenarios } from './scenarios.ts'
import { idleTable, scenarioTable, startTable } from './tables.ts'

const idleTitle = '10,000 idle cached connections'
const idleStory = 'Users log in and out; their connections to the server stay.'

export async function benchEdge(options: EdgeBenchOptions): Promise<void> {
  onInterrupt(stopAll)
  try {
    await run(options)
  } finally {
    await stopAll()
  }
}

async function run(options: EdgeBenchOptions): Promise<void> {
  const machine = describeMachine('apps/edge-proxy', 'packages', 'tests/bench')
  const contestants = present(options)
  await buildPrograms()
  const results: EdgeResults = new Map()
  const sections: Section[] = []
  const show = (section: Section) => {
    sections.push(section)
    console.log(`\n${section.title}\n${section.story}\n\n${section.table}`)
  }
  for (const scenario of benchScenarios.filter(({ group }) => options.only.includes(group))) {
    const samples = await measure(scenario, contestants, options)
    results.set(scenario.key, samples)
    show({ ...scenario, table: scenarioTable(scenario, samples) })
  }
  let idle: IdleSamples | undefined
  if (options.only.includes('idle')) {
    idle = await measureIdle(contestants, options)
    show({ title: idleTitle, story: idleStory, table: idleTable(idle) })
  }
  let starts: StartSamples | undefined
  if (options.only.includes('start')) {
    starts = await measureStarts(options.repeat)
    show({ title: 'Start', story: 'Until the port accepts a connection.', table: startTable(starts) })
  }
  const bars = barsTable(results, idle, starts)
  console.log(`\nThe bars\n\n${bars}`)
  if (!options.complete) {
    console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench edge')
    return
  }
  writePart('edge', edgeDocument(machine, contestants, options, bars, sections))
}

function present(options: EdgeBenchOptions): Contestant[] {
  return options.contestants.flatMap((name) => {
    const found = findContestant(name)
    if (!('remedy' in found)) return [found]
    console.log(`${name} is not here and left out; to measure it too: ${found.remedy}`)
    return []
  })
}
