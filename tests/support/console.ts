/** What the tests of the console's pages begin with: a real fleet, a browser, and somebody who is signed in. */
import { after, before } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, openPage, signInOnPage, type Appearance, type Watched } from './browser.ts'
import { TestFleet } from './fleet.ts'

export interface Visit extends Appearance {
  /** Whose; without, the admin's of the fleet. */
  token?: string
}

/** Called within a suite: both are there for all of its tests. `onReady` is given the fleet before the first of them. */
export function consoleOfFleet(onReady: (fleet: TestFleet) => void | Promise<void>): {
  /** A page of its own, at the door. */
  enter: (path: string, look?: Appearance) => Promise<Watched>
  /** A page of its own, signed in. */
  open: (path: string, visit?: Visit) => Promise<Watched>
} {
  let fleet: TestFleet | undefined
  let browser: Browser | undefined
  before(async () => {
    ;[fleet, browser] = await Promise.all([TestFleet.start(), launchBrowser()])
    await onReady(fleet)
  })
  after(async () => {
    await browser?.close()
    await fleet?.stop()
  })
  const started = () => {
    if (!fleet || !browser) throw new Error('the fleet has not been started')
    return { browser, control: fleet.stack.control, token: fleet.stack.token }
  }
  const enter = async (path: string, look: Appearance = {}) => {
    const watched = await openPage(started().browser, started().control.api, look)
    await watched.page.goto(path)
    return watched
  }
  const open = async (path: string, { token = started().token, ...look }: Visit = {}) => {
    const watched = await enter(path, look)
    const { page } = watched
    await signInOnPage(page, token)
    // On a small screen the way to the pages is behind a button.
    const menu = page.getByRole('button', { name: 'Menu' })
    await menu.or(page.getByRole('navigation')).first().waitFor()
    return watched
  }
  return { enter, open }
}

export const close = (page: Page): Promise<void> => page.context().close()

/** As wide as its window, or wider if something on it does not fit. */
export const pageWidth = async (page: Page): Promise<number> =>
  (await page.evaluate('document.documentElement.scrollWidth')) as number
