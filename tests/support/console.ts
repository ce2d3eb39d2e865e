/** Set-up for tests of console pages: a real fleet, a browser, and a signed-in user. */
import { after, before } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import {
  launchBrowser,
  openPage,
  signInOnPage,
  untilLoaded,
  type Appearance,
  type Watched,
} from './browser.ts'
import { TestFleet } from './fleet.ts'

export interface Visit extends Appearance {
  /** Token of the user; the fleet's admin if left out. */
  token?: string
}

/** Call it in a suite: fleet and browser exist for all of its tests. `onReady` gets the fleet before the first test. */
export function consoleOfFleet(onReady: (fleet: TestFleet) => void | Promise<void>): {
  /** A new page that shows the sign-in form. */
  enter: (path: string, look?: Appearance) => Promise<Watched>
  /** A new page, signed in. */
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
    // On a small screen a button opens the navigation.
    const menu = page.getByRole('button', { name: 'Menu' })
    await menu.or(page.getByRole('navigation')).first().waitFor()
    return watched
  }
  return { enter, open }
}

export const close = (page: Page): Promise<void> => page.context().close()

/** Width of the content in pixels, when all of it is there: more than the window if something does not fit. */
export async function pageWidth(page: Page): Promise<number> {
  await untilLoaded(page)
  return (await page.evaluate('document.documentElement.scrollWidth')) as number
}
