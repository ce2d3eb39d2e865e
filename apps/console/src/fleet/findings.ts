/** The problems of the fleet, from the list of edges, the most serious first. */
import { isHeard, type EdgeView } from '@imapfleet/api'
import { amountOf } from '../format/number.ts'
import { durationOf } from '../format/time.ts'

export interface Finding {
  edge: string
  tone: 'bad' | 'warn'
  /** A sentence that starts after the edge's id. */
  text: string
}

export function findingsOf(edges: readonly EdgeView[], now: Date): Finding[] {
  const all = edges.flatMap((edge) => findingsOfEdge(edge, now))
  return [...all.filter(({ tone }) => tone === 'bad'), ...all.filter(({ tone }) => tone === 'warn')]
}

export function findingsOfEdge(edge: EdgeView, now: Date): Finding[] {
  const { id, state } = edge
  const bad = (text: string): Finding => ({ edge: id, tone: 'bad', text })
  const warn = (text: string): Finding => ({ edge: id, tone: 'warn', text })
  if (edge.forgottenAt !== undefined)
    return [warn('was forgotten and is in no list. Its history is kept, and its next heartbeat returns it.')]
  const silence = durationOf(now.getTime() - Date.parse(edge.lastSeenAt))
  const findings = edge.problems.map(({ kind, severity, text }) =>
    (severity === 'bad' ? bad : warn)(
      kind === 'silent'
        ? `has been silent for ${silence}: it or its connection to NATS is down.`
        : `${text.replace(/\.$/, '')}.`,
    ),
  )
  if (!isHeard(edge)) return findings
  if ((edge.pool?.waiting ?? 0) > 0)
    findings.push(
      warn(`has ${amountOf(edge.pool?.waiting ?? 0, 'login')} waiting for a connection to the mail server.`),
    )
  if (state === 'stopping') findings.push(warn('is stopping.'))
  else if (state === 'draining') findings.push(warn(`is draining; ${leftText(edge.connections.clients)}`))
  else if (edge.drain) findings.push(warn('was told to drain, but has not started.'))
  return findings
}

const leftText = (clients: number) =>
  clients === 0 ? 'no clients are left.' : `${amountOf(clients, 'client')} still connected.`
