/** The problems of the fleet, from the list of edges, the most serious first. */
import { isHeard, type EdgeProblem, type EdgeView } from '@imapfleet/api'
import { amountOf } from '../format/number.ts'
import { durationOf } from '../format/time.ts'
import { withLocalTimes } from './alert-words.ts'

export type FindingKind = EdgeProblem['kind'] | 'forgotten' | 'waiting' | 'stopping' | 'draining'

export interface Finding {
  edge: string
  kind: FindingKind
  tone: 'bad' | 'warn'
  /** A sentence that starts after the edge's id. */
  text: string
}

/** What several edges have in common, and the name of the problem in a list. */
export const findingWords: Readonly<Record<FindingKind, { title: string; several: string }>> = {
  silent: { title: 'silent', several: 'are silent' },
  'wire-version': { title: 'other wire version', several: 'speak another wire version than control' },
  credential: { title: 'invalid credential', several: 'have a revoked or expired credential' },
  instances: { title: 'id used twice', several: 'run in more than one process each' },
  unsaved: { title: 'state not writable', several: 'cannot write their state directory' },
  rejected: { title: 'refused revision', several: 'refused a revision' },
  drift: { title: 'other revision', several: 'run another revision than desired' },
  clock: { title: 'wrong clock', several: 'have a wrong clock' },
  refused: { title: 'messages refused', several: 'send messages that control refuses' },
  reported: { title: 'reported by the edge', several: 'report a problem' },
  waiting: { title: 'logins waiting', several: 'have logins waiting for a connection' },
  forgotten: { title: 'forgotten', several: 'are forgotten' },
  stopping: { title: 'stopping', several: 'are stopping' },
  draining: { title: 'draining', several: 'are draining' },
}

export function findingsOf(edges: readonly EdgeView[], now: Date): Finding[] {
  const all = edges.flatMap((edge) => findingsOfEdge(edge, now))
  return [...all.filter(({ tone }) => tone === 'bad'), ...all.filter(({ tone }) => tone === 'warn')]
}

export function findingsOfEdge(edge: EdgeView, now: Date): Finding[] {
  const { id, state } = edge
  const bad = (kind: FindingKind, text: string): Finding => ({ edge: id, kind, tone: 'bad', text })
  const warn = (kind: FindingKind, text: string): Finding => ({ edge: id, kind, tone: 'warn', text })
  if (edge.forgottenAt !== undefined)
    return [
      warn(
        'forgotten',
        'was forgotten and is in no list. Its history is kept. Its next heartbeat returns it to the fleet.',
      ),
    ]
  const silence = durationOf(now.getTime() - Date.parse(edge.lastSeenAt))
  const findings = edge.problems.map(({ kind, severity, text }) =>
    (severity === 'bad' ? bad : warn)(
      kind,
      kind === 'silent'
        ? `has been silent for ${silence}: the edge or its connection to NATS is down.`
        : `${withLocalTimes(text, now).replace(/\.$/, '')}.`,
    ),
  )
  if (!isHeard(edge)) return findings
  if ((edge.pool?.waiting ?? 0) > 0)
    findings.push(
      warn(
        'waiting',
        `has ${amountOf(edge.pool?.waiting ?? 0, 'login')} waiting for a connection to the mail server.`,
      ),
    )
  if (state === 'stopping') findings.push(warn('stopping', 'is stopping.'))
  else if (state === 'draining')
    findings.push(warn('draining', `is draining; ${leftText(edge.connections.clients)}`))
  else if (edge.drain) findings.push(warn('draining', 'was told to drain, but has not started.'))
  return findings
}

/** Findings of one kind that many edges have, as one; the others as they are. */
export type FindingGroup =
  | { kind: 'one'; finding: Finding }
  /** `example`: the text of the first one. */
  | { kind: 'several'; of: FindingKind; tone: Finding['tone']; edges: readonly string[]; example: string }

/** With more edges than this, a kind becomes one line. */
const namedMax = 2

export function groupFindings(found: readonly Finding[]): FindingGroup[] {
  const byKind = Map.groupBy(found, ({ kind, tone }) => `${tone} ${kind}`)
  return [...byKind.values()].flatMap((alike): FindingGroup[] => {
    const [first] = alike
    // An edge can report several problems.
    const edges = [...new Set(alike.map(({ edge }) => edge))]
    if (!first || edges.length <= namedMax) return alike.map((finding) => ({ kind: 'one', finding }))
    return [{ kind: 'several', of: first.kind, tone: first.tone, edges, example: first.text }]
  })
}

const leftText = (clients: number) =>
  clients === 0 ? 'no clients are left.' : `${amountOf(clients, 'client')} still connected.`
