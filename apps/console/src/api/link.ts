/** Whether control answers. Whoever asks it says how that went; the banner and all polls follow. */
import { signal } from '@preact/signals'

export interface Outage {
  since: Date
  sentence: string
}

export const outage = signal<Outage | undefined>(undefined)

export function linkLost(sentence: string): void {
  outage.value = { since: outage.value?.since ?? new Date(), sentence }
}

export function linkBack(): void {
  outage.value = undefined
}
