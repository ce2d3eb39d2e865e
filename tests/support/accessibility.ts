/** What axe finds wrong with a page: contrast, names, roles, order. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

interface Violation {
  id: string
  help: string
  nodes: { target: string[]; failureSummary: string }[]
}

export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Not as a script in the page, which its content security policy forbids.
  await page.evaluate(axe.source)
  const violations = (await page.evaluate(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((done) => done.violations)",
  )) as Violation[]
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target.join(' ')}: ${failureSummary}`),
  )
}
