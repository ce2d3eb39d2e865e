/**
 * Runs a write only once for its idempotency key: a repeated request gets the first answer. If the replica died
 * before the answer was stored, the write is not repeated, because it may have been done; the client is told so.
 */
import { createHash } from 'node:crypto'
import { claimKey, findAnswer, freeKey, keepAnswer } from './idempotency-keys.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../errors.ts'

export interface KeyedRequest {
  /** The id of the token, because a key belongs to one token. */
  token: string
  key: string
  method: string
  path: string
  body: string
}

export interface IdempotentAnswer {
  status: number
  body: string
}

export async function answerOnce(
  { db }: Deps,
  { token, key, method, path, body }: KeyedRequest,
  write: () => Promise<IdempotentAnswer>,
): Promise<IdempotentAnswer> {
  const request = createHash('sha256').update(`${method} ${path}\n${body}`).digest('hex')
  if (!(await claimKey(db.orm, { token, key, request }))) return await keptAnswer()
  const answer = await write().catch(async (error: unknown) => {
    await freeKey(db.orm, token, key)
    throw error
  })
  // An error of control may not occur again; a refusal will.
  if (answer.status >= 500 || answer.status === 429) await freeKey(db.orm, token, key)
  else await keepAnswer(db.orm, { token, key, ...answer })
  return answer

  async function keptAnswer(): Promise<IdempotentAnswer> {
    const kept = await findAnswer(db.orm, token, key)
    if (kept && kept.request !== request)
      throw new ServiceError(
        'idempotency_conflict',
        `The key ${key} was used for another request: use a new one.`,
      )
    if (kept?.status && kept.body !== null) return { status: kept.status, body: kept.body }
    throw new ServiceError(
      'idempotency_unknown',
      `A request with the key ${key} has no answer yet: repeat it in a moment, or check whether the change was made.`,
    )
  }
}
