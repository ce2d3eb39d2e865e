/** Whether control answers. Every request and stream reports here; the banner, the polls and the look of the page follow. */
import { signal } from '@preact/signals'

interface ApiOutage {
  /** When control last answered. The data of the page is as old, or older. Undefined: it never answered this page. */
  answeredAt: Date | undefined
  sentence: string
}

/** Undefined while control answers. */
export const outage = signal<ApiOutage | undefined>(undefined)

let answeredAt: Date | undefined

export function noteAnswered(at: Date): void {
  answeredAt = at
  outage.value = undefined
}

/** Control refused a request: it is there, but sent no data. */
export function noteRefused(): void {
  outage.value = undefined
}

export function noteUnanswered(sentence: string): void {
  outage.value = { answeredAt, sentence }
}
