/** Subjects and streams of the floors: what the same work costs without control. */
import type { EdgeAddress } from '@imapfleet/protocol'

export const floorSubjects = {
  /** To all clients, which answer. */
  ask: 'bench.ask',
  answer: ({ region, edge }: EdgeAddress, id: string) => `bench.answer.${region}.${edge}.${id}`,
  answersTo: (id: string) => `bench.answer.*.*.${id}`,

  /** To all clients, which read their entry and acknowledge it. */
  changed: 'bench.changed',
  entry: ({ region, edge }: EdgeAddress) => `bench.entry.${region}.${edge}`,
  sharedEntry: 'bench.entry.all.all',
  entriesOfAll: 'bench.entry.*.*',
  acknowledged: ({ region, edge }: EdgeAddress, round: number) => `bench.done.${region}.${edge}.${round}`,
  acknowledgedByAll: (round: number) => `bench.done.*.*.${round}`,

  report: ({ region, edge }: EdgeAddress) => `bench.report.${region}.${edge}`,
  reportsOfAll: 'bench.report.*.*',
} as const

export const floorStreams = { entries: 'BENCH_ENTRIES', reports: 'BENCH_REPORTS' } as const
export const floorConsumer = 'bench'
