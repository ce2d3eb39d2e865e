/** A rollout as typed: every field is text until it is sent. */
import type { RolloutRequest } from '@imapfleet/api'
import { unknownEdgesIn, wordsIn, type MeantEdge } from './canary-edges.ts'

export interface RolloutForm {
  canary: string
  percent: string
  regions: string
  soak: string
  silence: string
  /** Percent. */
  errors: string
}

export const usualRollout: RolloutForm = {
  canary: '',
  percent: '10',
  regions: '',
  soak: '30',
  silence: '60',
  errors: '5',
}

const numbers = ['percent', 'soak', 'silence', 'errors'] as const

/** The mistake in a field, as far as the console knows it. Control checks the bounds. */
export const mistakeIn = (form: RolloutForm, field: keyof RolloutForm): string | undefined =>
  numbers.some((name) => name === field) && !/^\s*\d+(\.\d+)?\s*$/.test(form[field])
    ? 'Enter a number.'
    : undefined

/** Undefined while a field is not a number, or an edge is unknown. */
export function rolloutIn(
  form: RolloutForm,
  edges: readonly MeantEdge[] | undefined,
): RolloutRequest | undefined {
  if (unknownEdgesIn(form.canary, edges) !== undefined) return undefined
  if (numbers.some((field) => mistakeIn(form, field) !== undefined)) return undefined
  return {
    canaryEdges: wordsIn(form.canary),
    canaryPercent: Number(form.percent),
    regions: wordsIn(form.regions),
    soakSeconds: Number(form.soak),
    silenceSeconds: Number(form.silence),
    errorShareMax: Number(form.errors) / 100,
  }
}
