/** Names of edges as one types them, with spaces between, and the edges that can be meant. */
import type { RevisionStatus } from '@imapfleet/protocol'

/** One that a revision goes to. */
export type MeantEdge = RevisionStatus['edges'][number]

/** More are found by a part of their name. */
const offeredMax = 60

export const wordsIn = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '')

/** What is wrong with what was typed; nothing as long as it is not known which edges there are. */
export function unknownEdgesIn(text: string, edges: readonly MeantEdge[] | undefined): string | undefined {
  if (!edges) return undefined
  const known = new Set(edges.map(({ id }) => id))
  const unknown = [...new Set(wordsIn(text))].filter((word) => !known.has(word))
  if (unknown.length === 0) return undefined
  const are = unknown.length === 1 ? 'is not an edge' : 'are not edges'
  return `${unknown.join(', ')} ${are} of this layer: choose from the list below.`
}

/** The edges to pick from: those that the last word may become, or all. */
export function offeredFor(text: string, edges: readonly MeantEdge[]): { edges: MeantEdge[]; more: number } {
  const part = unfinishedIn(text, edges)
  const found = part === undefined ? [] : edges.filter(({ id }) => id.includes(part))
  const offered = found.length > 0 ? found : edges
  return { edges: offered.slice(0, offeredMax), more: Math.max(0, offered.length - offeredMax) }
}

/** With this edge if it was not there, without it if it was. It takes the place of the part of its name that was typed. */
export function toggled(text: string, id: string, edges: readonly MeantEdge[]): string {
  const words = wordsIn(text)
  if (words.includes(id)) return words.filter((word) => word !== id).join(' ')
  const part = unfinishedIn(text, edges)
  if (part !== undefined && id.includes(part)) words.pop()
  return [...words, id].join(' ')
}

/** The last word, where it is no edge yet. */
function unfinishedIn(text: string, edges: readonly MeantEdge[]): string | undefined {
  const last = wordsIn(text).at(-1)
  return edges.some(({ id }) => id === last) ? undefined : last
}
