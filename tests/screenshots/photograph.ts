/** Takes screenshots of the console, signed in, page by page. */
import type { Browser, Page } from 'playwright-core'
import { openPage, pageHeading, signInOnPage, type Appearance } from '../support/browser.ts'
import type { Shot } from './shots.ts'

export const wide = { width: 1280, height: 800 }
export const narrow = { width: 375, height: 800 }

export interface Photographer {
  by: Browser
  /** The address of control. */
  origin: string
  token: string
  shots: readonly Shot[]
  /** Pictures are cut below this height. */
  tallest: number
  /** A page without its content is photographed too, and named on the standard error. */
  isLenient?: boolean
  /** The file for a page; undefined skips it. */
  fileOf: (name: string) => string | undefined
}

export async function photograph(
  { by, origin, token, shots, tallest, isLenient = false, fileOf }: Photographer,
  look: Appearance & { width: number },
): Promise<void> {
  const { page } = await openPage(by, origin, look)
  const entrance = fileOf('sign-in')
  await page.goto('/')
  await pageHeading(page, 'Sign in').waitFor()
  if (entrance !== undefined) await page.screenshot({ path: entrance })
  await signInOnPage(page, token)
  await pageHeading(page, 'Overview').waitFor()
  for (const { name, path, ready } of shots) {
    const file = fileOf(name)
    if (file === undefined) continue
    await page.goto(path)
    await ready(page).catch((error: unknown) => {
      if (!isLenient) throw error
      console.error(`${name}: ${String(error).split('\n')[0]}`)
    })
    await takePicture(page, file, look.width, tallest)
  }
  await page.context().close()
}

/** As tall as the page, so that elements that stick to the window reach its end. */
export async function takePicture(page: Page, file: string, width: number, tallest: number): Promise<void> {
  const height = (await page.evaluate('document.documentElement.scrollHeight')) as number
  await page.setViewportSize({ width, height: Math.min(Math.max(height, 800), tallest) })
  await page.screenshot({ path: file })
  await page.setViewportSize({ width, height: 800 })
}
