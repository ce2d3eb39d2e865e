/** packages/protocol/src/api-routes.ts: the types of the API's clients. */
import { apiTypes } from './api-types.ts'
import { readOpenApi } from './openapi.ts'
import type { WholeFile } from './whole-file.ts'

const head = `/**
 * Routes of the control API, with the types of parameters, bodies and answers. Generated from the OpenAPI document by
 * \`npm run manuals\`; do not edit.
 */
`

export const apiRoutes: WholeFile = {
  file: 'packages/protocol/src/api-routes.ts',
  text: () => head + apiTypes(readOpenApi()),
}
