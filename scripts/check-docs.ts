/**
 * `npm run verify:docs`: the documentation against the code. Each complaint is one line, `file:line: what is wrong and
 * what to do`; the exit status is 1 if there is one.
 */
import { readFileSync } from 'node:fs'
import { brokenLinks, missingCommands, missingPaths, missingScripts } from './docs/citations.ts'
import { commandsNotRun } from './docs/commands.ts'
import { fileDrift, manualDrift } from './docs/drift.ts'
import { undescribedVariables } from './docs/environment.ts'
import { errorCodeDrift } from './docs/error-codes.ts'
import { infraMetricDrift, undescribedAlerts } from './docs/infra-metrics.ts'
import { conformanceDrift, unproducedFigures } from './docs/figures.ts'
import { forbiddenWords } from './docs/forbidden.ts'
import { readPage, readPages, report } from './page.ts'

const pages = readPages()
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

const complaints = [
  ...missingPaths(pages),
  ...brokenLinks(pages),
  ...missingScripts(pages, scripts),
  ...missingCommands(pages),
  ...commandsNotRun([...pages, readPage('infra/README.md')]),
  ...unproducedFigures(pages),
  ...conformanceDrift(),
  ...errorCodeDrift(),
  ...undescribedVariables(),
  ...manualDrift(),
  ...fileDrift(),
  ...infraMetricDrift(),
  ...undescribedAlerts(),
  ...forbiddenWords(),
]
report(complaints)
