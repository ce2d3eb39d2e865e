/** docs/openapi.json: the OpenAPI document of control, generated without a server. */
import { execFileSync } from 'node:child_process'
import type { WholeFile } from './whole-file.ts'

/** As control prints it. */
const openApiText = () =>
  execFileSync(process.execPath, ['apps/control/src/main.ts', 'openapi'], { encoding: 'utf8' })

export const openApi: WholeFile = { file: 'docs/openapi.json', text: openApiText }
