/** Ids of edges as typed, separated by spaces, and the edges that are offered. */
import type { RevisionStatus } from '@imapfleet/api'

/** An edge that the revision is for. */
export type MeantEdge = RevisionStatus['edges'][number]

/** Other edges are found by part of their id. */
const offeredMax = 60

export const wordsIn = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '')

/** The mistake in the input; undefined while the edges are unknown. */
export function unknownEdgesIn(text: string, edges: readonly MeantEdge[] | undefined): string | undefined {
  if (!edges) return undefined
  const known = new Set(edges.map(({ id }) => id))
  const unknown = [...new Set(wordsIn(text))].filter((word) => !known.has(word))
  if (unknown.length === 0) return undefined
  const are = unknown.length === 1 ? 'is not an edge' : 'are not edges'
  return `${unknown.join(', ')} ${are} of this layer: choose from the list below.`
}

/** The edges to offer: those that match the last word, or all. */
export function offeredFor(text: string, edges: readonly MeantEdge[]): { edges: MeantEdge[]; more: number } {
  const part = unfinishedIn(text, edges)
  const found = part === undefined ? [] : edges.filter(({ id }) => id.includes(part))
  const offered = found.length > 0 ? found : edges
  return { edges: offered.slice(0, offeredMax), more: Math.max(0, offered.length - offeredMax) }
}

/** Adds or removes this edge. When added, it replaces the typed part of its id. */
export function toggled(text: string, id: string, edges: readonly MeantEdge[]): string {
  const words = wordsIn(text)
  if (words.includes(id)) return words.filter((word) => word !== id).join(' ')
  const part = unfinishedIn(text, edges)
  if (part !== undefined && id.includes(part)) words.pop()
  return [...words, id].join(' ')
}

/** The last word, if it is not the id of an edge. */
function unfinishedIn(text: string, edges: readonly MeantEdge[]): string | undefined {
  const last = wordsIn(text).at(-1)
  return edges.some(({ id }) => id === last) ? undefined : last
}
