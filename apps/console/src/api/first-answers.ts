/**
 * Answers that control has sent together with the page (packages/api/src/first-requests.ts), by address. Each is used once, those of
 * the same address in their order.
 */
import type { KnownAnswer } from '@imapfleet/client'

const answers = new Map<string, HTMLScriptElement[]>()
for (const element of document.querySelectorAll<HTMLScriptElement>('script[data-answer]')) {
  const address = new URL(element.dataset['answer'] ?? '', location.origin).href
  answers.set(address, [...(answers.get(address) ?? []), element])
}

/** Whether control has sent answers together with the page. */
export const isAnsweredFirst = answers.size > 0

/** Whether one of them says whose session it is. Control leaves out what takes it too long. */
export const isSessionAnswered = answers.has(new URL('/v1/session', location.origin).href)

/** The answer, if there is one that was not taken yet. */
export function takeFirstAnswer({ href }: URL): KnownAnswer | undefined {
  const element = answers.get(href)?.shift()
  if (!element) return undefined
  element.remove()
  return { status: Number(element.dataset['status']), text: element.textContent }
}

/** Answers from before a sign-in or sign-out are not valid after it. */
export function forgetFirstAnswers(): void {
  for (const element of [...answers.values()].flat()) element.remove()
  answers.clear()
}
