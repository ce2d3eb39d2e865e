/**
 * Debian's Chromium, headless, with a page that records what the console must not do: send requests to another host, break
 * its content security policy, throw.
 */
import { existsSync } from 'node:fs'
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The reason to skip a test if Chromium is missing. */
export const noChromium: string | false = places.some((place) => existsSync(place))
  ? false
  : 'chromium is missing: sudo apt-get install chromium'

const launching = () => ({ executablePath: places.find((place) => existsSync(place)) ?? '', args: flags })

/** Its windows are private ones. */
export const launchBrowser = (): Promise<Browser> => chromium.launch(launching())

/** A browser with a profile on disk. Unlike a private window, it keeps compiled scripts. */
export const launchProfile = (directory: string, origin: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(directory, { ...launching(), ...contextOptions(origin) })

export interface Watched {
  page: Page
  /** One sentence each. */
  offences: string[]
}

export interface Appearance {
  width?: number
  height?: number
  colours?: 'light' | 'dark'
}

const contextOptions = (
  origin: string,
  { width = 1280, height = 800, colours = 'light' }: Appearance = {},
): BrowserContextOptions => ({
  baseURL: origin,
  viewport: { width, height },
  colorScheme: colours,
  reducedMotion: 'reduce',
})

/** A page with its own cookies. */
export async function openPage(browser: Browser, origin: string, look: Appearance = {}): Promise<Watched> {
  const context = await browser.newContext(contextOptions(origin, look))
  const page = await context.newPage()
  // Also on a machine that is busy with something else.
  page.setDefaultTimeout(45_000)
  const offences: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) offences.push(`it asked ${request.url()}`)
  })
  page.on('pageerror', (error) => offences.push(`it threw ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !isFailedRequest(message.text()))
      offences.push(`it complained: ${message.text()}`)
  })
  return { page, offences }
}

/** Chromium logs every response with an error status. The console shows those itself. */
const isFailedRequest = (text: string) => text.startsWith('Failed to load resource:')

export async function signInOnPage(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Until nothing says that it waits for an answer of control. What is missing then is absent. */
export const untilLoaded = async (page: Page): Promise<void> =>
  await page
    .getByText(/^Loading( all edges)? …$/)
    .or(page.locator('.fleet-charts.waiting'))
    .or(page.locator('.long-table td').filter({ hasText: /^…$/ }))
    .first()
    .waitFor({ state: 'detached' })

/** The heading of a page. A card may have a similar one. */
export const pageHeading = (page: Page, name: string) =>
  page.getByRole('heading', { name, exact: true, level: 1 })
