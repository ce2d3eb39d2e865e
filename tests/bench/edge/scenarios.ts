/** The measured webmail pages, each a script of commands; the load generator has a letter for each command. */
import type { Group } from './options.ts'

export interface BenchScenario {
  key: string
  group: Group
  title: string
  /** Description for the report. */
  story: string
  script: string
  atOnce: number
  users: number
  /** Delay to the server in each direction. */
  delayMs: number
  /** Duration of the same load before the measurement: a proxy with a JIT compiler needs tens of thousands of sessions. */
  warmSeconds: number
}

/** Round trip to the distant server. */
export const distantRoundTripMs = 40

const near = { delayMs: 0, warmSeconds: 10 }
const distant = {
  group: 'distance',
  atOnce: 1,
  users: 8,
  delayMs: distantRoundTripMs / 2,
  warmSeconds: 2,
} as const

export const benchScenarios: BenchScenario[] = [
  {
    key: 'sessions-16',
    group: 'sessions',
    title: 'Sessions, 16 concurrent',
    story: 'LOGIN, SELECT, FETCH of 4 KB, LOGOUT; a TCP connection each; 64 users in turn, all cached.',
    script: 'LSFQ',
    atOnce: 16,
    users: 64,
    ...near,
  },
  {
    key: 'sessions-256',
    group: 'sessions',
    title: 'Sessions, 256 concurrent',
    story: 'The same with 1,024 users in turn.',
    script: 'LSFQ',
    atOnce: 256,
    users: 1024,
    ...near,
  },
  {
    key: 'login',
    group: 'login',
    title: 'Login with reuse',
    story: 'LOGIN and LOGOUT, one at a time, 4 users in turn: from sending LOGIN to its tagged OK.',
    script: 'LQ',
    atOnce: 1,
    users: 4,
    ...near,
  },
  {
    key: 'bodies',
    group: 'bodies',
    title: 'Large bodies',
    story: 'LOGIN, SELECT, 8 times FETCH of 1 MB, LOGOUT, 4 concurrent.',
    script: 'LSBBBBBBBBQ',
    atOnce: 4,
    users: 16,
    ...near,
  },
  {
    key: 'distant-status',
    title: 'A page of STATUS, server 20 ms away',
    story: 'LOGIN, 6 times STATUS, LOGOUT, one page at a time: 6 questions.',
    script: 'LTTTTTTQ',
    ...distant,
  },
  {
    key: 'distant-fetch',
    title: 'A page of SELECT and FETCH, server 20 ms away',
    story: 'LOGIN, SELECT, FETCH of 4 KB, LOGOUT, one page at a time: 2 questions.',
    script: 'LSFQ',
    ...distant,
  },
]

/** Number of commands that only the server can answer: not LOGIN with reuse, and not LOGOUT. */
export function questionsOf(scenario: BenchScenario): number {
  return scenario.script.replaceAll(/[LQ]/g, '').length
}
