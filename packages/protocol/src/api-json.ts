/** Any JSON value. The metadata stands in the OpenAPI document, because the schema itself is recursive. */
import { z } from 'zod'

export const json = z.json().meta({ type: ['string', 'number', 'boolean', 'object', 'array', 'null'] })
