/** The problems of the fleet, from the list of edges, the most serious first. */
import type { EdgeView } from '@imapfleet/api'
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
  const { id, state, config } = edge
  const bad = (text: string): Finding => ({ edge: id, tone: 'bad', text })
  const warn = (text: string): Finding => ({ edge: id, tone: 'warn', text })
  if (edge.forgottenAt !== undefined)
    return [warn('was forgotten and is in no list. Its history is kept, and its next heartbeat returns it.')]
  if (state === 'silent') {
    const silence = durationOf(now.getTime() - Date.parse(edge.lastSeenAt))
    return [bad(`has been silent for ${silence}: it or its connection to NATS is down.`)]
  }
  const findings = edge.degraded.map((reason) => bad(`${reason}.`))
  if (config.rejected?.revision === config.wanted)
    findings.push(
      bad(`refused revision ${config.wanted} and runs ${config.applied}: ${config.rejected.reason}`),
    )
  else if (config.applied !== config.wanted)
    findings.push(warn(`runs revision ${config.applied}, but should run ${config.wanted}.`))
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
