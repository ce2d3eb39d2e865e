/** docs/openapi.json: the OpenAPI document of control, generated without a server. */
import { execFileSync } from 'node:child_process'
import type { OpenApi } from './api-types.ts'
import type { WholeFile } from './whole-file.ts'

let asked: string | undefined

/** As control prints it. */
const openApiText = (): string =>
  (asked ??= execFileSync(process.execPath, ['apps/control/src/main.ts', 'openapi'], { encoding: 'utf8' }))

export const readOpenApi = (): OpenApi => JSON.parse(openApiText()) as OpenApi

export const openApi: WholeFile = { file: 'docs/openapi.json', text: openApiText }
