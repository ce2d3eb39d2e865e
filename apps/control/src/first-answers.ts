/**
 * The answers to what a page of the console asks first, for a user who is signed in. They come from the routes of the API, with the
 * cookie of the request for the page, so rights and limits are decided there.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { firstRequests } from '@imapfleet/api'
import type { Context, Hono } from 'hono'
import type { FirstAnswer } from './platform/http/console.ts'
import type { Env } from './platform/http/handlers.ts'

/** The page asks for what takes longer itself. */
const patienceMs = 400

export async function firstAnswers(app: Hono<Env>, context: Context<Env>): Promise<FirstAnswer[]> {
  const { pathname, searchParams, origin } = new URL(context.req.url)
  const headers = new Headers({ accept: 'application/json' })
  for (const name of ['cookie', 'x-forwarded-for']) {
    const value = context.req.header(name)
    if (value !== undefined) headers.set(name, value)
  }
  const groups = firstRequests(pathname, searchParams).map((group) => [group].flat())
  const answers = groups.map((): FirstAnswer[] => [])
  const all = groups.map(async (group, index) => {
    for (const path of group) {
      const response = await app.request(`${origin}${path}`, { headers }, context.env)
      answers[index]?.push({ path, status: response.status, text: await response.text() })
    }
  })
  const late = new AbortController()
  await Promise.race([
    Promise.all(all),
    sleep(patienceMs, undefined, { signal: late.signal }).catch(() => undefined),
  ])
  late.abort()
  return answers.flat()
}
