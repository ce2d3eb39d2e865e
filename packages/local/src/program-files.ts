/**
 * The programs of the fleet: their sources, or the bundles that `npm run tests -- --prepare` has made, which start in a third of
 * the processor time.
 */
import { environment } from './environment.ts'
import { repository } from './paths.ts'

const { prepared } = environment

export const sources = {
  edge: `${repository}/apps/edge-proxy/src/main.ts`,
  control: `${repository}/apps/control/src/main.ts`,
  cli: `${repository}/apps/cli/src/main.ts`,
}

export const programFiles =
  prepared === undefined
    ? sources
    : {
        edge: `${prepared}/imapfleet-edge.mjs`,
        control: `${prepared}/imapfleet-control.mjs`,
        cli: `${prepared}/imapfleet.mjs`,
      }

/** The directory of the code that Node compiles and keeps: with the packages, or with the bundles, and removed with them. */
export const compiledCode = prepared ?? `${repository}/node_modules/.cache`
