/**
 * The two addresses of a sign-in: the redirect to the provider, and the callback. Refusals are HTML pages. They are not
 * routes of the API, because providers add parameters.
 */
import { Hono, type Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Deps } from '../../deps.ts'
import { errorCodes, ServiceError } from '../../platform/errors.ts'
import type { Env } from '../../platform/http/handlers.ts'
import type { Explain } from '../../platform/http/on-error.ts'
import type { SourceOf } from '../../platform/http/source.ts'
import { writeSession } from '../access/cookie.ts'
import { beginAttempt, isSecure, takeAttempt } from './attempt.ts'
import { callbackPath } from './provider.ts'
import { providerOf, signInPerson } from './service.ts'

/** Starts a sign-in. The parameter `to` is the path of the console to return to. */
export const beginPath = '/sign-in/provider'

export function signInPages(deps: Deps, sourceOf: SourceOf, explain: Explain): Hono<Env> {
  const answering =
    (answer: (context: Context<Env>) => Promise<string>) =>
    async (context: Context<Env>): Promise<Response> => {
      context.header('cache-control', 'no-store')
      try {
        return context.redirect(await answer(context))
      } catch (error) {
        return await refusalPage(context, await explain(error, context.req))
      }
    }
  return new Hono<Env>().get(beginPath, answering(begin)).get(callbackPath, answering(finish))

  async function begin(context: Context<Env>): Promise<string> {
    const provider = providerOf(deps)
    const { proofs } = beginAttempt(context, provider.options.publicUrl, context.req.query('to'))
    return (await provider.signInUrl(proofs)).href
  }

  async function finish(context: Context<Env>): Promise<string> {
    const { publicUrl } = providerOf(deps).options
    const attempt = takeAttempt(context, publicUrl)
    if (!attempt)
      throw new ServiceError(
        'sign_in_failed',
        'This browser did not start the sign-in, or it took longer than ten minutes: sign in again.',
      )
    const query = context.req.url.split(/\?(.*)/s)[1] ?? ''
    const { secret } = await signInPerson(deps, query, attempt.proofs, sourceOf(context))
    writeSession(context, secret, isSecure(publicUrl))
    return attempt.to
  }
}

async function refusalPage(context: Context<Env>, { code, message }: ServiceError): Promise<Response> {
  const { status, title } = errorCodes[code]
  return context.html(
    await html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
          <title>${title} · imapfleet</title>
          <link rel="stylesheet" href="/docs.css" />
        </head>
        <body>
          <main>
            <h1>${title}</h1>
            <p>${message}</p>
            <p><a href="/">Back to the console</a></p>
            <p><small>${code}</small></p>
          </main>
        </body>
      </html>`,
    status as ContentfulStatusCode,
  )
}
