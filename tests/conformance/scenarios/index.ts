/** All scenarios. Those with the same configuration are next to each other, so that one edge serves them. */
import type { Scenario } from '../scenario.ts'
import { brokenStreams } from './broken-streams.ts'
import { barrier } from './barrier.ts'
import { capability } from './capability.ts'
import { checkout } from './checkout.ts'
import { dialing } from './dialing.ts'
import { everyByte } from './every-byte.ts'
import { identity } from './identity.ts'
import { idleServer } from './idle-server.ts'
import { inOrder } from './in-order.ts'
import { killed } from './killed.ts'
import { leasedServer } from './leased-server.ts'
import { limits } from './limits.ts'
import { literals } from './literals.ts'
import { longLines } from './long-lines.ts'
import { mechanismScenarios } from './mechanisms.ts'
import { prelogin } from './prelogin.ts'
import { reuse } from './reuse.ts'
import { revocation } from './revocation.ts'
import { selectCache } from './select-cache.ts'
import { selection } from './selection.ts'
import { silentServer } from './silent-server.ts'
import { smuggling } from './smuggling.ts'
import { sessionState } from './session-state.ts'

const all: Scenario[] = [
  ...reuse,
  ...inOrder,
  ...killed,
  ...everyByte,
  ...literals,
  ...sessionState,
  ...barrier,
  ...idleServer,
  ...leasedServer,
  ...dialing,
  ...smuggling,
  ...brokenStreams,
  ...longLines,
  ...silentServer,
  ...capability,
  ...identity,
  ...mechanismScenarios,
  ...selectCache,
  ...selection,
  ...prelogin,
  ...limits,
  ...checkout,
  ...revocation,
]
/** About the bytes that pass in a session, and the state that a session leaves on its connection. */
const ofSessions = new Set<Scenario>([
  ...reuse,
  ...inOrder,
  ...everyByte,
  ...literals,
  ...sessionState,
  ...barrier,
  ...leasedServer,
  ...smuggling,
  ...brokenStreams,
  ...longLines,
  ...silentServer,
  ...selectCache,
  ...selection,
  ...checkout,
])

const settings = (scenario: Scenario) => JSON.stringify(scenario.config ?? {})
const order = [...new Set(all.map(settings))]

export const scenarios = all.toSorted((a, b) => order.indexOf(settings(a)) - order.indexOf(settings(b)))
export const scenariosOfSessions = scenarios.filter((scenario) => ofSessions.has(scenario))
