/**
 * The programs of the fleet: their sources, or the bundles in the directory of IMAPFLEET_BUNDLES, which start in a third of the
 * processor time. `npm run tests -- --bundles` builds and sets it.
 */
import { environment } from './environment.ts'
import { repository } from './paths.ts'

const { bundles } = environment

export const sources = {
  edge: `${repository}/apps/edge-proxy/src/main.ts`,
  control: `${repository}/apps/control/src/main.ts`,
  cli: `${repository}/apps/cli/src/main.ts`,
}

export const programs =
  bundles === undefined
    ? sources
    : {
        edge: `${bundles}/imapfleet-edge.mjs`,
        control: `${bundles}/imapfleet-control.mjs`,
        cli: `${bundles}/imapfleet.mjs`,
      }

/** The directory of the code that Node compiles and keeps: with the packages, or with the bundles, and removed with them. */
export const compiledCode = bundles ?? `${repository}/node_modules/.cache`
