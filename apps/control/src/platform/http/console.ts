/**
 * The web console: its built files, and its page for every path without a route, because the console routes in the
 * browser.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { etag } from 'hono/etag'
import type { Env } from './handlers.ts'

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Files are read for each request, so that a console that is built while control runs is served immediately. */
export const consoleRoutes = (directory: string) =>
  new Hono<Env>()
    .get('/assets/*', compress(), async (context, next) => {
      const name = /^\/assets\/([\w-][\w.-]*)$/.exec(context.req.path)?.[1] ?? ''
      const type = types[name.split('.').at(-1) ?? '']
      const file = type === undefined ? undefined : await readIfThere(join(directory, 'assets', name))
      if (file === undefined || type === undefined) return await next()
      // Its name changes with what is in it.
      const headers = { 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable' }
      return context.body(file, 200, headers)
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
      return context.html(new TextDecoder().decode(page))
    })

/** Requests of a browser for a page. Other requests with an unknown path get 404. */
const isPage = (path: string, accept = ''): boolean =>
  path === '/' || (accept.includes('text/html') && !/^\/(?:v1|assets)\//.test(path))

async function readIfThere(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return Uint8Array.from(await readFile(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
