/** Pictures of every page with a simulated fleet: as usual, and while control does not answer. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { openPage, pageHeading, signInOnPage } from '../support/browser.ts'
import { Plane } from '../support/plane.ts'
import { narrow, photograph, takePicture, wide } from './photograph.ts'
import { emptyShots, simulatedShots } from './shots.ts'
import { SimulatedFleet } from './simulated-fleet.ts'

/** Taller pictures show nothing more. */
const tallest = 2_600

export async function photographSimulated(by: Browser, into: string, size: number): Promise<void> {
  await mkdir(into, { recursive: true })
  const plane = await Plane.start()
  const fleet = await SimulatedFleet.start(plane, size)
  try {
    if (size > 0) await fleet.operate()
    const { api: origin } = plane.control
    const shots = size === 0 ? emptyShots : simulatedShots
    for (const colours of ['light', 'dark'] as const)
      for (const look of [wide, narrow]) {
        const file = (name: string) => join(into, `${size}-${name}-${colours}-${look.width}.png`)
        await photograph(
          {
            by,
            origin,
            token: plane.token,
            shots,
            tallest,
            isLenient: true,
            fileOf: (name) => (name === 'sign-in' ? undefined : file(name)),
          },
          { ...look, colours },
        )
      }
    if (size > 0)
      await photographStale(by, plane, (name) => join(into, `${size}-stale-${name}-light-1280.png`))
  } finally {
    await fleet.stop()
    await plane.stop()
  }
}

async function photographStale(by: Browser, plane: Plane, fileOf: (name: string) => string): Promise<void> {
  const { page } = await openPage(by, plane.control.api, wide)
  await page.goto('/')
  await signInOnPage(page, plane.token)
  await pageHeading(page, 'Overview').waitFor()
  const context = page.context()
  const opened = await Promise.all(
    simulatedShots
      .filter(({ name }) => ['overview', 'edge', 'alerts', 'config'].includes(name))
      .map(async ({ name, path, ready }) => {
        const tab = await context.newPage()
        await tab.goto(path)
        await ready(tab)
        return { name, tab }
      }),
  )
  await plane.control.process.stop()
  for (const { name, tab } of opened) {
    await tab.bringToFront()
    // A page without polls asks when it is used.
    await tab.getByText('The page shows data from').waitFor({ timeout: 30_000 })
    await takePicture(tab, fileOf(name), wide.width, tallest)
  }
  await context.close()
}
