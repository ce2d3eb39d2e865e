/** Plays the sessions of all contestants at one distance, and compares the pages of each with those without a proxy. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BenchError } from '../problem.ts'
import type { PagesContestant } from './contestants.ts'
import { startPagesLine, type PagesLine } from './line.ts'
import { playSession, type SessionSample } from './measure.ts'
import { firstDifference } from './normal-page.ts'
import type { PagesBenchOptions } from './options.ts'
import type { PlayedSessions } from './results.ts'
import { warmUp } from './warm-up.ts'

const differences = join(import.meta.dirname, '..', '..', '..', '.run', 'bench', 'pages')
const mailboxSeed = 1
const firstSeed = 1_000_000
/** The contestant whose first sessions are judged. */
const learner: PagesContestant = 'edge with ahead'

export interface PlayedDistance {
  first: PlayedSessions
  played: PlayedSessions
}

export interface PlayOrder {
  delayMs: number
  pauseMs: number
  /** Divides the number of pages of the first session. */
  firstShorter: number
  /** How many first sessions the edge with ahead plays, each with other pages, through a fresh edge. */
  firstSessions: number
}

/** At every distance the sessions have the same seeds. Contestants take turns. */
export async function playAll(options: PagesBenchOptions, order: PlayOrder): Promise<PlayedDistance> {
  const { contestants, seed, shorter, repeat } = options
  const lines: PagesLine[] = []
  try {
    for (const contestant of contestants)
      lines.push(await startPagesLine({ contestant, delayMs: order.delayMs, mailboxSeed }))
    const play = async (each: number, divisor = shorter) => {
      const sessions: SessionSample[] = []
      for (const line of lines) {
        await warmUp(line)
        sessions.push(await playSession(line, { seed: each, pauseMs: order.pauseMs, shorter: divisor }))
      }
      comparePages(contestants, sessions, order, each)
      return sessions
    }
    const first = await play(firstSeed, shorter * order.firstShorter)
    const played = new Map<PagesContestant, SessionSample[]>(contestants.map((name) => [name, []]))
    for (let index = 0; index < repeat; index++) {
      const sessions = await play(seed + index)
      for (const [at, name] of contestants.entries()) played.get(name)?.push(sessions[at]!)
    }
    const firsts = new Map(contestants.map((name, index) => [name, [first[index]!]]))
    firsts.get(learner)?.push(...(await otherFirstSessions(order, shorter)))
    return { first: firsts, played }
  } finally {
    for (const line of lines) await line.stop()
  }
}

/** How soon an edge has learned a program depends on the pages of the first session, so several are played. */
async function otherFirstSessions(order: PlayOrder, shorter: number): Promise<SessionSample[]> {
  const { delayMs, pauseMs, firstSessions } = order
  const sessions: SessionSample[] = []
  for (let index = 1; index < firstSessions; index++) {
    const line = await startPagesLine({ contestant: learner, delayMs, mailboxSeed })
    try {
      await warmUp(line)
      sessions.push(await playSession(line, { seed: firstSeed + index, pauseMs, shorter }))
    } finally {
      await line.stop()
    }
  }
  return sessions
}

/**
 * Every page through the edge must equal the page of the first contestant, which is Roundcube without a proxy. Pages
 * through imapproxy differ, because it offers fewer capabilities.
 */
function comparePages(
  contestants: readonly PagesContestant[],
  sessions: readonly SessionSample[],
  { delayMs }: PlayOrder,
  seed: number,
): void {
  const [reference, ...others] = sessions
  for (const [index, session] of others.entries()) {
    const name = contestants[index + 1]
    if (name === 'imapproxy') continue
    const found = firstDifference(session.pages, reference?.pages ?? [])
    if (!found) continue
    const what = found.ours?.what ?? found.reference?.what ?? 'nothing'
    const kind = found.ours?.kind ?? found.reference?.kind
    mkdirSync(differences, { recursive: true })
    writeFileSync(join(differences, 'ours.txt'), found.ours?.text ?? '')
    writeFileSync(join(differences, 'reference.txt'), found.reference?.text ?? '')
    throw new BenchError(
      `${name}, server ${delayMs} ms away, seed ${seed}: page ${found.at + 1} (${kind}: ${what}) is not the page of ${contestants[0]}; ` +
        'both are in .run/bench/pages',
    )
  }
}
