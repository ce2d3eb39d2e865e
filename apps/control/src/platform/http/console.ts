/**
 * The web console: its built files, and its page for every path without a route, because the console routes in the
 * browser.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import { etag } from 'hono/etag'
import type { Env } from './handlers.ts'

/** An answer of the API that the page gets together with its HTML. */
export interface FirstAnswer {
  /** With its query. */
  path: string
  status: number
  /** JSON. */
  text: string
}

type AnswerFirst = (context: Context<Env>) => Promise<readonly FirstAnswer[]>

/** Files are read for each request, so that a console that is built while control runs is served immediately. */
export const consoleRoutes = (directory: string, answerFirst: AnswerFirst = async () => []) =>
  new Hono<Env>()
    .get(
      '/assets/*',
      compress(),
      keptForever,
      // The middleware would report a missing root on stderr, but the console may be built later.
      serveStatic({ root: '/', rewriteRequestPath: (path) => join(directory, path) }),
    )
    .get('*', async (context, next) => {
      if (!isPage(context.req.path, context.req.header('accept'))) return await next()
      const answers = await answerFirst(context)
      const page = answers.length > 0 ? await readIfThere(join(directory, 'index.html')) : undefined
      if (page === undefined) return await next()
      context.header('cache-control', 'no-store')
      return context.html(withAnswers(page, answers))
    })
    .get('*', etag(), async (context, next) => {
      if (!isPage(context.req.path, context.req.header('accept'))) return await next()
      const page = await readIfThere(join(directory, 'index.html'))
      context.header('cache-control', 'no-cache')
      if (page === undefined)
        return context.text(
          'The web console is not built: run `npm run build` in the directory of imapfleet and reload this page.\n',
          503,
        )
      return context.html(page)
    })

/** The name of a file changes with its content. */
const keptForever: MiddlewareHandler<Env> = async (context, next) => {
  await next()
  if (context.res.ok) context.header('cache-control', 'public, max-age=31536000, immutable')
}

/** Requests of a browser for a page. Other requests with an unknown path get 404. */
const isPage = (path: string, accept = ''): boolean =>
  path === '/' || (accept.includes('text/html') && !/^\/(?:v1|assets)\//.test(path))

/** As blocks of data, which the browser does not run and the content security policy does not concern. */
const withAnswers = (page: string, answers: readonly FirstAnswer[]): string => {
  const blocks = answers.map(
    ({ path, status, text }) =>
      `<script type="application/json" data-answer="${inAttribute(path)}" data-status="${status}">${inScript(text)}</script>`,
  )
  const end = page.lastIndexOf('</body>')
  return `${page.slice(0, end)}${blocks.join('')}${page.slice(end)}`
}

const inAttribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')

/** The same JSON without what could end the block, or begin a comment in it. */
const inScript = (json: string): string => json.replaceAll('<', String.raw`\u003c`)

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
