/** Accessibility faults that axe finds on a page when all of it is there: contrast, names, roles, order. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { untilLoaded } from './browser.ts'

interface Violation {
  id: string
  help: string
  nodes: { target: string[]; failureSummary: string }[]
}

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

export async function accessibilityFaults(page: Page): Promise<string[]> {
  await untilLoaded(page)
  // Not as a script element, which the content security policy of the page forbids.
  await page.evaluate(axe.source)
  const violations = (await page.evaluate(
    `axe.run({ runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] }).then((done) => done.violations)`,
  )) as Violation[]
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target.join(' ')}: ${failureSummary}`),
  )
}
