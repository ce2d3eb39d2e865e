/** A rollout as it is typed: every field a text, until it is asked for. */
import type { RolloutRequest } from '@imapfleet/protocol'

export interface RolloutForm {
  canary: string
  percent: string
  regions: string
  soak: string
  silence: string
  /** Of a hundred. */
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

/** What is wrong with a field as far as one can see here; bounds are for control to know. */
export const mistakeIn = (form: RolloutForm, field: keyof RolloutForm): string | undefined =>
  numbers.some((name) => name === field) && !/^\s*\d+(\.\d+)?\s*$/.test(form[field])
    ? 'Type a number.'
    : undefined

/** Undefined while something in it is no number. */
export function rolloutIn(form: RolloutForm): RolloutRequest | undefined {
  if (numbers.some((field) => mistakeIn(form, field) !== undefined)) return undefined
  return {
    canaryEdges: listIn(form.canary),
    canaryPercent: Number(form.percent),
    regions: listIn(form.regions),
    soakSeconds: Number(form.soak),
    silenceSeconds: Number(form.silence),
    errorShareMax: Number(form.errors) / 100,
  }
}

const listIn = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '')
