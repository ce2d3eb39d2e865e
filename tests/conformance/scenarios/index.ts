/** All scenarios, those with the same configuration next to each other, so that one edge serves them all. */
import type { Scenario } from '../scenario.ts'
import { inOrder } from './in-order.ts'
import { killed } from './killed.ts'
import { reuse } from './reuse.ts'
import { tainted } from './tainted.ts'

const all: Scenario[] = [...reuse, ...inOrder, ...killed, ...tainted]
const settings = (scenario: Scenario) => JSON.stringify(scenario.config ?? {})
const order = [...new Set(all.map(settings))]

export const scenarios = all.toSorted((a, b) => order.indexOf(settings(a)) - order.indexOf(settings(b)))
