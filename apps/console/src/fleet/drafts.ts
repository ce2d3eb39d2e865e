/** Drafts by layer. They survive a change of the page, and end with the browser tab. */
import { layerText, type LayerName } from '@imapfleet/api'
import { signal } from '@preact/signals'
import { session } from '../api/session.ts'
import type { DraftChange } from './draft.ts'

export interface Draft {
  /** The revision that was shown when the draft was started, or that it was moved to. */
  base: number
  changes: readonly DraftChange[]
}

const drafts = signal<ReadonlyMap<string, Draft>>(new Map())

const keyOf = (layer: LayerName) =>
  JSON.stringify([session.value.state === 'in' ? session.value.who.name : '', layerText(layer)])

export const draftOf = (layer: LayerName): Draft | undefined => drafts.value.get(keyOf(layer))

/** A draft without changes is removed. */
export function keepDraft(layer: LayerName, draft: Draft): void {
  const next = new Map(drafts.value)
  if (draft.changes.length > 0) next.set(keyOf(layer), draft)
  else next.delete(keyOf(layer))
  drafts.value = next
}

export const dropDraft = (layer: LayerName): void => keepDraft(layer, { base: 0, changes: [] })
