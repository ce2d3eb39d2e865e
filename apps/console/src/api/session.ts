/** The signed-in user. The end of a session keeps the address, so that signing in returns to the same page. */
import type { ConsoleSession } from '@imapfleet/api'
import { signal } from '@preact/signals'
import { ProblemError } from '@imapfleet/client'
import { forgetFirstAnswers } from './first-answers.ts'

export type SignInState =
  | { state: 'unknown' }
  | { state: 'in'; who: ConsoleSession }
  /** `reason`: a sentence, if the user did not sign out. */
  | { state: 'out'; reason?: string }

export const session = signal<SignInState>({ state: 'unknown' })

export function sessionBegan(who: ConsoleSession): void {
  session.value = { state: 'in', who }
}

/** The user has signed out. */
export function sessionLeft(): void {
  forgetFirstAnswers()
  session.value = { state: 'out' }
}

/** Control does not know the session. */
export function sessionEnded({ code, message }: ProblemError): void {
  forgetFirstAnswers()
  if (code === 'token_missing' && session.value.state === 'unknown') session.value = { state: 'out' }
  else if (code === 'session_over') session.value = { state: 'out', reason: message }
  else if (session.value.state === 'in')
    session.value = { state: 'out', reason: 'You are signed out: sign in again.' }
}
