/** packages/protocol/src/api-routes.ts: what the clients of the API are typed from. */
import { apiTypes } from './api-types.ts'
import { readOpenApi } from './openapi.ts'
import type { WholeFile } from './whole-file.ts'

const head = `/**
 * Every route of the control API, with what it takes and what it answers: made from its OpenAPI document by
 * \`npm run manuals\`. Do not edit.
 */
`

export const apiRoutes: WholeFile = {
  file: 'packages/protocol/src/api-routes.ts',
  text: () => head + apiTypes(readOpenApi()),
}
