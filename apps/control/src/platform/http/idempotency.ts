/**
 * Runs a write with an Idempotency-Key only once: a repeated request gets the first answer. Only outcomes are kept. A
 * refusal changed nothing, so it frees its key, and the same request may succeed later. If it is unknown whether the write
 * was done, because its replica died or lost Postgres, control does not repeat it, and the answer says so.
 */
import { createHash } from 'node:crypto'
import { isLimited } from '@imapfleet/api'
import { reasonOf } from '@imapfleet/observe'
import type { Context } from 'hono'
import type { Deps } from '../../deps.ts'
import { isRolledBack } from '../db/trouble.ts'
import { ServiceError } from '../errors.ts'
import type { Env } from './handlers.ts'
import { claimKey, findAnswer, freeKey, keepAnswer } from './idempotency-queries.ts'
import { bodyText } from './read-request.ts'

export type WriteOnce = (context: Context<Env>, write: () => Promise<Response>) => Promise<Response>

/** For routes whose answers may be stored. A request without a key runs as often as it is sent. */
export const onceOnly = (deps: Pick<Deps, 'db' | 'log'>): WriteOnce =>
  async function answerOnce(context, write) {
    const key = context.req.header('idempotency-key')
    if (key === undefined) return await write()
    if (!/^[\x21-\x7e]{1,255}$/.test(key))
      throw new ServiceError(
        'request_invalid',
        'An Idempotency-Key is 1 to 255 printable characters without spaces.',
      )
    const { orm } = deps.db
    // A key belongs to one token, and to one request.
    const token = context.get('actor').id
    const request = await fingerprintOf(context)
    if (!(await claimKey(orm, { token, key, request }))) return await keptAnswer()
    let response: Response
    try {
      response = await write()
    } catch (error) {
      if (isUnchanged(error)) await freeKey(orm, token, key).catch(cannotStore)
      throw error
    }
    const answer = { status: response.status, body: await response.clone().text() }
    // The write was done, so the client learns of it in any case.
    await keepAnswer(orm, { token, key, ...answer }).catch(cannotStore)
    return response

    async function keptAnswer(): Promise<Response> {
      const kept = await findAnswer(orm, token, key!)
      if (kept && kept.request !== request)
        throw new ServiceError(
          'idempotency_conflict',
          `The key ${key} was used for another request: use a new one.`,
        )
      if (!kept?.status || kept.body === null)
        throw new ServiceError(
          'idempotency_unknown',
          `A request with the key ${key} has no answer yet: repeat it in a moment, or check whether the change was made.`,
        )
      const headers = { 'content-type': 'application/json' }
      return new Response(kept.body, { status: kept.status, headers })
    }

    function cannotStore(error: unknown): void {
      deps.log.warn('the outcome of a request with an idempotency key could not be stored', {
        path: context.req.path,
        reason: reasonOf(error),
      })
    }
  }

/** The limits are part of it: an answer is not repeated to a token that may no longer see it. */
async function fingerprintOf(context: Context<Env>): Promise<string> {
  const { method, url } = context.req
  const path = url.replace(/^[^/]*\/\/[^/]*/, '')
  const { limits } = context.get('actor')
  const head = [
    ...[method, path, context.req.header('if-match') ?? ''],
    ...(isLimited(limits) ? [JSON.stringify(limits)] : []),
  ].join('\n')
  return createHash('sha256')
    .update(`${head}\n${await bodyText(context)}`)
    .digest('hex')
}

/** Control or Postgres refused the write. After a bug, or without an answer of Postgres, the write may have been done. */
const isUnchanged = (error: unknown): boolean => error instanceof ServiceError || isRolledBack(error)
