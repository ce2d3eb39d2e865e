/** The routes of control that the console uses, as functions. */
import { auditListSchema, sessionSchema } from '@imapfleet/protocol'
import { ask, send } from './ask.ts'

/** Of a list whose newest come first; `before` is the `next` of the page before. */
export interface Page {
  limit: number
  before?: number | undefined
}

export const api = {
  session: (signal?: AbortSignal) => ask({ path: 'session', signal }, sessionSchema),
  signIn: (token: string) => ask({ path: 'session', method: 'POST', body: { token } }, sessionSchema),
  signOut: () => send({ path: 'session', method: 'DELETE' }),

  audit: (query: Page & { actor?: string; action?: string }, signal?: AbortSignal) =>
    ask({ path: 'audit', query: { ...query }, signal }, auditListSchema),
}
