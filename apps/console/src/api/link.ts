/** Whether control answers. Every request reports its outcome here; the banner and all polls follow. */
import { signal } from '@preact/signals'

export interface ApiOutage {
  since: Date
  sentence: string
}

export const outage = signal<ApiOutage | undefined>(undefined)

export function linkLost(sentence: string): void {
  outage.value = { since: outage.value?.since ?? new Date(), sentence }
}

export function linkBack(): void {
  outage.value = undefined
}
