/** The page at the root: what this is, and where the API is. */
import { Hono } from 'hono'
import { html } from 'hono/html'
import type { Env } from './routes.ts'

export const welcomeRoutes = () =>
  new Hono<Env>().get('/', (context) =>
    context.html(
      html`<!doctype html>
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width" />
            <title>imapfleet</title>
          </head>
          <body>
            <h1>imapfleet</h1>
            <p>The control plane of a fleet of IMAP proxies.</p>
            <ul>
              <li>
                The API is under <code>/v1</code>, with <code>Authorization: Bearer TOKEN</code>;
                <a href="docs">docs</a> and <a href="openapi.json">openapi.json</a> describe it.
              </li>
              <li>
                From a terminal: <code>imapfleet edges</code>, <code>imapfleet stats</code>,
                <code>imapfleet --help</code>.
              </li>
              <li><a href="readyz">readyz</a> says whether Postgres and NATS answer.</li>
            </ul>
          </body>
        </html>`,
    ),
  )
