/** Ids of the fleet for the completion of a command line: which ones the word at its end needs, read from the server. */
import { safe } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { readEdges } from './commands/edges.ts'

export interface CompletedId {
  id: string
  help: string
}

const limit = 100

/** What can be read: the ids, the most useful first. */
const sources = {
  edge: async (client: ApiClient) =>
    (await readEdges(client)).map(({ id, region, state }) => ({ id, help: `${region}, ${state}` })),
  region: async (client: ApiClient) =>
    [...new Set((await readEdges(client)).map(({ region }) => region))].map((id) => ({ id, help: '' })),
  token: async (client: ApiClient) =>
    (await client.call('listTokens', { query: { limit } })).tokens
      .filter(({ revokedAt }) => revokedAt === null)
      .map(({ id, name, role }) => ({ id, help: `${name}, ${role}` })),
  person: async (client: ApiClient) =>
    (await client.call('listTokens', { query: { limit, kind: 'person' } })).tokens.map(({ name }) => ({
      id: name,
      help: '',
    })),
  trace: async (client: ApiClient) =>
    (await client.call('listTraces', { query: { limit } })).traces.map(({ id, user }) => ({
      id,
      help: user,
    })),
  operation: async (client: ApiClient) =>
    (await client.call('listOperations', { query: { limit } })).operations.map(({ id, title, state }) => ({
      id,
      help: `${title}, ${state}`,
    })),
  order: async (client: ApiClient) =>
    (await client.call('listOrders', { query: { limit } })).orders.map(({ id, action, givenBy }) => ({
      id,
      help: `${action.kind}, ${givenBy}`,
    })),
  rollout: async (client: ApiClient) =>
    (await client.call('listRollouts', { query: { limit } })).rollouts.map(({ revision, state }) => ({
      id: String(revision),
      help: state,
    })),
  revision: async (client: ApiClient) =>
    (await client.call('listRevisions', { query: { limit } })).revisions.map(
      ({ revision, note, createdBy }) => ({
        id: String(revision),
        help: [createdBy, note].filter(Boolean).join(': '),
      }),
    ),
  revocation: async (client: ApiClient) =>
    (await client.call('listRevocations', { query: { limit } })).revocations.map(({ sequence, subject }) => ({
      id: String(sequence),
      help: subject,
    })),
  alert: async (client: ApiClient) =>
    (await client.call('listAlerts', { query: { limit, state: 'current' } })).alerts.map(({ id, text }) => ({
      id: String(id),
      help: text,
    })),
  silence: async (client: ApiClient) =>
    (await client.call('listAlertSilences', { query: { limit } })).silences
      .filter(({ isActive }) => isActive)
      .map(({ id, reason }) => ({ id: String(id), help: reason })),
  channel: async (client: ApiClient) =>
    (await client.call('listAlertChannels', {})).channels.map(({ name, kind }) => ({ id: name, help: kind })),
} satisfies Record<string, (client: ApiClient) => Promise<CompletedId[]>>
export type IdKind = keyof typeof sources

/** The first argument of these commands. */
export const argumentKinds: Readonly<Record<string, IdKind>> = {
  'alerts ack': 'alert',
  'alerts show': 'alert',
  'alerts test': 'channel',
  'alerts unsilence': 'silence',
  'config rollback': 'revision',
  'config show': 'revision',
  'config undo': 'revision',
  drain: 'edge',
  'edges enroll': 'edge',
  'edges forget': 'edge',
  'edges revoke': 'edge',
  'edges show': 'edge',
  'operations abort': 'operation',
  'operations continue': 'operation',
  'operations show': 'operation',
  'orders show': 'order',
  'people end': 'person',
  resume: 'edge',
  'revocations show': 'revocation',
  'rollouts abort': 'rollout',
  'rollouts pause': 'rollout',
  'rollouts resume': 'rollout',
  'rollouts show': 'rollout',
  'tokens revoke': 'token',
  'traces download': 'trace',
  'traces end': 'trace',
  'traces watch': 'trace',
}

/** The value of these options, of any command. */
export const optionKinds: Readonly<Record<string, IdKind>> = {
  canary: 'edge',
  edge: 'edge',
  first: 'region',
  region: 'region',
  regions: 'region',
}

/** The kind of the last word of a command line; undefined if it is no id. */
export function kindOfLast(program: Command, words: readonly string[]): IdKind | undefined {
  const before = words.slice(0, -1)
  const option = /^--([\w-]+)$/.exec(before.at(-1) ?? '')?.[1]
  if (option !== undefined && Object.hasOwn(optionKinds, option)) return optionKinds[option]
  const assigned = /^--([\w-]+)=/.exec(words.at(-1) ?? '')?.[1]
  if (assigned !== undefined) return Object.hasOwn(optionKinds, assigned) ? optionKinds[assigned] : undefined
  const path: string[] = []
  let command = program
  for (const word of before) {
    const next = command.commands.find((each) => each.name() === word)
    if (!next) continue
    command = next
    path.push(word)
  }
  const name = path.join(' ')
  return Object.hasOwn(argumentKinds, name) ? argumentKinds[name] : undefined
}

/** None if the server does not answer, or refuses. */
export async function readIds(kind: IdKind, client: ApiClient): Promise<CompletedId[]> {
  try {
    const ids: CompletedId[] = await sources[kind](client)
    return ids
      .filter(({ id }) => safe(id) === id)
      .map(({ id, help }) => ({ id, help: safe(help).slice(0, 60) }))
  } catch {
    return []
  }
}
