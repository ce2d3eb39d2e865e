/**
 * `npm run verify:docs`: the documentation against the code. Each complaint is one line, `file:line: what is wrong and
 * what to do`; the exit status is 1 if there is one.
 */
import { readFileSync } from 'node:fs'
import { unusedRoutes } from './docs/api-routes.ts'
import { brokenLinks, missingCommands, missingPaths, missingScripts } from './docs/citations.ts'
import { fileDrift, manualDrift } from './docs/drift.ts'
import { undescribedVariables } from './docs/environment.ts'
import { errorCodeDrift } from './docs/error-codes.ts'
import { infraMetricDrift, undescribedAlerts } from './docs/infra-metrics.ts'
import { forbiddenWords } from './docs/forbidden.ts'
import { readPages } from './docs/page.ts'
import { unreadKeys } from './docs/unread-keys.ts'

const pages = readPages()
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

const complaints = [
  ...missingPaths(pages),
  ...brokenLinks(pages),
  ...missingScripts(pages, scripts),
  ...missingCommands(pages),
  ...errorCodeDrift(),
  ...unreadKeys(),
  ...undescribedVariables(),
  ...manualDrift(),
  ...fileDrift(),
  ...unusedRoutes(),
  ...infraMetricDrift(),
  ...undescribedAlerts(),
  ...forbiddenWords(),
]
for (const { file, line, message } of complaints) console.error(`${file}:${line}: ${message}`)
if (complaints.length > 0) process.exitCode = 1
